// Vercel's AI SDK as it comes, with its own retries and its providers of OpenAI, Anthropic and Google.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import { models, parameters, run } from './troubled.mjs';

const of = {
  openai: (url, apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat(models.openai),
  responses: (url, apiKey) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses(models.responses),
  anthropic: (url, apiKey) => createAnthropic({ baseURL: `${url}/v1`, apiKey })(models.anthropic),
  gemini: (url, apiKey) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey })(models.gemini),
};
const tools = { get_weather: tool({ description: 'The weather.', inputSchema: jsonSchema(parameters) }) };

const plays = (model) => ({
  async whole({ url, key, headers, says: prompt }, heard) {
    heard.push((await generateText({ model: model(url, key), prompt, headers, tools })).text);
  },
  // What an application reads of a stream has no errors in it: they are a part of their own.
  async streamed({ url, key, headers, says: prompt }, heard) {
    const answer = streamText({ model: model(url, key), prompt, headers, tools, onError: () => {} });
    for await (const part of answer.stream) {
      if (part.type === 'text-delta') heard.push(part.text);
      if (part.type === 'error') throw part.error;
    }
  },
});

// An error that was retried is wrapped, and the last one inside.
const said = ['message', 'type', 'code', 'param', 'status'].map((name) => `data.error.${name}`);
const sent = ['retry-after', 'x-request-id', 'request-id'].map((name) => `responseHeaders.${name}`);
const inside = ['statusCode', 'message', ...said, ...sent];
await run(
  Object.fromEntries(Object.entries(of).map(([api, model]) => [api, plays(model)])),
  [...inside, ...inside.map((name) => `lastError.${name}`)],
);
