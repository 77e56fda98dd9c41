// Vercel's AI SDK as it comes, with its own retries and its providers of OpenAI, Anthropic and Google.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import { models, parameters, run } from './troubled.mjs';

const openai = ({ url, key }) => createOpenAI({ baseURL: `${url}/v1`, apiKey: key });
const of = {
  openai: (asked) => openai(asked).chat(models.openai),
  responses: (asked) => openai(asked).responses(models.responses),
  anthropic: ({ url, key }) => createAnthropic({ baseURL: `${url}/v1`, apiKey: key })(models.anthropic),
  gemini: ({ url, key }) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey: key })(models.gemini),
};
const tools = { get_weather: tool({ description: 'The weather.', inputSchema: jsonSchema(parameters) }) };

class AbortPart extends Error {}

const plays = (model) => {
  const request = (asked) => ({
    model: model(asked),
    prompt: asked.says,
    headers: asked.headers,
    tools,
    timeout: asked.timeout,
  });
  return {
    async whole(asked, heard) {
      const answer = await generateText(request(asked));
      heard.push(answer.text, ...answer.toolCalls.map((call) => JSON.stringify(call.input)));
    },
    // What an application reads of a stream has no errors in it: they are a part of their own.
    async streamed(asked, heard) {
      const answer = streamText({ ...request(asked), onError: () => {} });
      for await (const part of answer.stream) {
        if (part.type === 'text-delta') heard.push(part.text);
        if (part.type === 'tool-input-delta') heard.push(part.delta);
        if (part.type === 'error') throw part.error;
        if (part.type === 'abort') throw new AbortPart();
      }
    },
  };
};

// An error that was retried is wrapped, and the last one inside.
const said = ['message', 'type', 'code', 'param', 'status'].map((name) => `data.error.${name}`);
const sent = ['retry-after', 'x-request-id', 'request-id'].map((name) => `responseHeaders.${name}`);
const inside = ['statusCode', 'message', ...said, ...sent];
await run(Object.fromEntries(Object.entries(of).map(([api, model]) => [api, plays(model)])), [
  ...inside,
  ...inside.map((name) => `lastError.${name}`),
]);
