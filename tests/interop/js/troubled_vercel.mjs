// Vercel's AI SDK as it comes, with its own retries and its providers of OpenAI, Anthropic and Google.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import { models, parameters, run } from './troubled.mjs';

const url = process.argv[2];
const apiKey = 'any';
const of = {
  openai: createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat(models.openai),
  responses: createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses(models.responses),
  anthropic: createAnthropic({ baseURL: `${url}/v1`, apiKey })(models.anthropic),
  gemini: createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey })(models.gemini),
};
const tools = { get_weather: tool({ description: 'The weather.', inputSchema: jsonSchema(parameters) }) };

const plays = (model) => ({
  async whole(headers, prompt, heard) {
    heard.push((await generateText({ model, prompt, headers, tools })).text);
  },
  // What an application reads of a stream has no errors in it: they are a part of their own.
  async streamed(headers, prompt, heard) {
    const answer = streamText({ model, prompt, headers, tools, onError: () => {} });
    for await (const part of answer.stream) {
      if (part.type === 'text-delta') heard.push(part.text);
      if (part.type === 'error') throw part.error;
    }
  },
});

// An error that was retried is wrapped, and the last one inside.
const inside = ['statusCode', 'message', 'data.error.message', 'data.error.type', 'data.error.code',
  'data.error.param', 'data.error.status', 'responseHeaders.retry-after', 'responseHeaders.x-request-id', 'responseHeaders.request-id'];
await run(
  Object.fromEntries(Object.entries(of).map(([api, model]) => [api, plays(model)])),
  [...inside, ...inside.map((name) => `lastError.${name}`)],
);
