// What every client program shares: it plays the tasks that come on standard input, and prints a line of JSON for each.
// A program knows nothing of what is expected; it is a user of its SDK, and tells what the SDK told.

import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { text as read } from 'node:stream/consumers';

export const models = {
  openai: 'gpt-4o',
  responses: 'gpt-4o',
  anthropic: 'claude-sonnet-4-5',
  gemini: 'gemini-2.5-flash',
};
export const question = 'Which is the warmest: Paris, Rome or Oslo?';
export const talk = ['Let us count.', 'And then?', 'And then?'];
const temperatures = { Paris: 22, Rome: 30, Oslo: 9 };

export const getWeather = ({ city, unit }) => JSON.stringify({ city, unit, temp: temperatures[city] });

export const parameters = {
  type: 'object',
  properties: { city: { type: 'string' }, unit: { type: 'string' } },
  required: ['city', 'unit'],
  additionalProperties: false,
};

// What an answer said, without what it did not say; usage is input, output and cached.
export function said({ finish, text, thinking, calls, refusal, usage }) {
  const told = { text, thinking, refusal, calls: calls?.length ? calls : null, usage };
  return { finish, ...Object.fromEntries(Object.entries(told).filter(([, value]) => value)) };
}

// What stands beside the conversations: lists, vectors of "cat" and "a dog", what is flagged, a count of tokens.
export function beside({ models, vectors = [], flagged = [], tokens = 0 }) {
  const round = (number, digits) => Math.round(number * 10 ** digits) / 10 ** digits;
  const lengths = vectors.map((vector) => round(vector.reduce((sum, each) => sum + each * each, 0), 3));
  const cat = (vectors[0] ?? []).map((each) => round(each, 6));
  const found = { models, cat, lengths, flagged, tokens: tokens > 0 };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value && value.length !== 0));
}

export const failed = (error, status, code) => ({ error: error.constructor.name, status, code });

// `plays` has for each kind of task and each API a function of (url, case, stream).
export async function run(plays) {
  print({ versions: versions() });
  for (const task of JSON.parse(await read(process.stdin))) {
    let heard;
    try {
      heard = await plays[task.play][task.api](task.url, task.case, task.stream);
    } catch (error) {
      heard = { broke: String(error?.stack ?? error) };
    }
    print({ task: task.task, heard });
  }
}

function versions() {
  const top = new URL('node_modules/', import.meta.url);
  const names = readdirSync(top).flatMap((name) =>
    name.startsWith('@') ? readdirSync(new URL(name, top)).map((inner) => `${name}/${inner}`) : [name],
  );
  const packages = names.map((name) => new URL(`${name}/package.json`, top)).filter((url) => existsSync(url));
  const read = packages.map((url) => JSON.parse(readFileSync(url)));
  return Object.fromEntries(read.map(({ name, version }) => [name, version]));
}

const print = (line) => console.log(JSON.stringify(line));
