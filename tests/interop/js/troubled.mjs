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

// Node's own timers are let alone, and so is the time that an SDK gives a request (by default ten minutes): it is no wait.
let timeout = 600_000;
const waits = [];
const { setTimeout } = globalThis;
globalThis.setTimeout = (callback, milliseconds = 0, ...rest) => {
  const caller = new Error().stack.split('\n')[2];
  if (milliseconds === timeout || !caller.includes('node_modules')) return setTimeout(callback, milliseconds, ...rest);
  waits.push(milliseconds / 1000);
  return setTimeout(callback, 0, ...rest);
};

// `plays` has for each API and way to ask a function of (request, where to put what the application gets), where a request has
// `url`, `key` and `timeout` of the client (milliseconds, if any), `headers`, and what the user `says`; `attributes` are those of an exception, dotted, that may hold something.
export async function run(plays, attributes) {
  for (const trial of JSON.parse(await read(process.stdin))) {
    waits.length = 0;
    timeout = trial.timeout ? trial.timeout * 1000 : 600_000;
    const heard = [];
    let error;
    try {
      for (const says of trial.says) {
        heard.length = 0;
        const headers = { 'x-llmposter-session': trial.session };
        const asked = { ...trial, timeout: trial.timeout ? timeout : undefined, headers, says };
        await atMost(4 * timeout, plays[trial.api][trial.how](asked, heard));
      }
    } catch (caught) {
      error = caught;
    }
    // A connection that the server ends is not to be taken for the next request.
    if (trial.timeout) await pause(2);
    console.log(JSON.stringify({ heard: heard.join(''), waits: [...waits], ...of(error, attributes) }));
  }
  // Connections that are still waited on would keep it alive.
  process.exit();
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// An SDK that would wait for ever is not waited for.
class StillWaiting extends Error {}
async function atMost(milliseconds, playing) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new StillWaiting()), milliseconds)));
  await Promise.race([playing, late]).finally(() => clearTimeout(timer));
}

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
