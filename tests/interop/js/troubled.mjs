// What the programs share that tell how an SDK takes trouble: it plays the trials that come on standard input.
// A trial has a session of its own, so that the server's journal tells how often the SDK asked. The SDK's waits between
// its tries are noted and not waited for. A program knows nothing of what is expected.

import { text as read } from 'node:stream/consumers';

export const models = {
  openai: 'gpt-4o',
  responses: 'gpt-4o',
  anthropic: 'claude-sonnet-4-5',
  gemini: 'gemini-2.5-flash',
};
export const parameters = {
  type: 'object',
  properties: { city: { type: 'string' }, unit: { type: 'string' } },
  required: ['city', 'unit'],
};

// The timers by which the SDKs wait between their tries, by who sets them; all others are let alone.
const between = ([caller, ...outer]) => /sleep\.mjs|retry_operation\.js/.test(caller) || / delay \(/.test(outer);
const waits = [];
const { setTimeout } = globalThis;
globalThis.setTimeout = (callback, milliseconds = 0, ...rest) => {
  if (!between(new Error().stack.split('\n').slice(2, 5))) return setTimeout(callback, milliseconds, ...rest);
  waits.push(milliseconds / 1000);
  return setTimeout(callback, 0, ...rest);
};

// `plays` has for each API and way to ask a function of (request, where to put what the application gets). A request
// has `url`, `key` and `timeout` of the client (milliseconds, if any), `headers`, and what the user `says`.
// `attributes` are those of an exception, dotted, that may hold something.
// Trials that wait in vain do so side by side, after the others.
export async function run(plays, attributes) {
  const trials = JSON.parse(await read(process.stdin));
  for (const trial of trials.filter(({ vain }) => !vain)) await play(plays, trial, attributes);
  await Promise.all(trials.filter(({ vain }) => vain).map((trial) => play(plays, trial, attributes)));
  // Connections that are still waited on would keep it alive.
  process.exit();
}

async function play(plays, trial, attributes) {
  waits.length = 0;
  const heard = [];
  let error;
  try {
    for (const says of trial.says) {
      heard.length = 0;
      const asked = { ...trial, headers: { 'x-llmposter-session': trial.session }, says };
      const playing = plays[trial.api][trial.how](asked, heard);
      await (trial.vain ? atMost(4 * trial.timeout, playing) : playing);
    }
  } catch (caught) {
    error = caught;
  }
  const told = { heard: heard.join(''), waits: [...waits], ...of(error, attributes) };
  console.log(JSON.stringify({ trial: trial.trial, ...told }));
  // A connection that the server ends is not to be taken for the next request.
  if (trial.pause) await wait(2);
}

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// An SDK that would wait for ever is not waited for.
class StillWaiting extends Error {}
const late = async (milliseconds) => {
  await wait(milliseconds);
  throw new StillWaiting();
};
const atMost = (milliseconds, playing) => Promise.race([playing, late(milliseconds)]);

function of(error, attributes) {
  if (error === undefined) return { raised: null, holds: {}, trace: '' };
  const found = attributes.map((name) => [name, name.split('.').reduce(attribute, error)]);
  const held = found.filter(([, value]) => value !== undefined && value !== null);
  const text = (value) => (['number', 'string'].includes(typeof value) ? value : JSON.stringify(value));
  return {
    raised: error.constructor.name,
    holds: Object.fromEntries(held.map(([name, value]) => [name, text(value)])),
    trace: String(error.stack ?? error),
  };
}

const attribute = (of, name) => (typeof of?.get === 'function' ? of.get(name) : of?.[name]);
