// Vercel's AI SDK, with its providers of OpenAI (Chat and Responses), Anthropic and Google.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, Output, embedMany, generateText, isStepCount, streamText, tool } from 'ai';
import { z } from 'zod';
import { beside, failed, getWeather, models, question, run, said, talk } from './playing.mjs';

const apiKey = 'any';
const providers = {
  openai: (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat(models.openai),
  responses: (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses(models.responses),
  anthropic: (url) => createAnthropic({ baseURL: `${url}/v1`, apiKey })(models.anthropic),
  gemini: (url) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey })(models.gemini),
};
const inputSchema = z.object({ city: z.string(), unit: z.string() });
const report = z.object({ city: z.string(), temps: z.array(z.number().nullable()) });
const declared = { get_weather: tool({ description: 'The weather.', inputSchema }) };
const execute = async (args) => getWeather(args);
const executed = { get_weather: tool({ description: 'The weather.', inputSchema, execute }) };

const ask = (api) => async (url, name, stream) => {
  const request = { model: providers[api](url), prompt: name, maxRetries: 0 };
  if (name === 'structured') request.output = Output.object({ schema: report });
  else request.tools = declared;
  try {
    return await told(stream ? await streamed(request) : await generateText(request), name);
  } catch (error) {
    if (!APICallError.isInstance(error)) throw error;
    const data = error.data?.error;
    return failed(error, error.statusCode, data?.status ?? data?.code ?? data?.type);
  }
};

// A stream tells an error by a part of its own.
async function streamed(request) {
  const answer = streamText({ ...request, onError: () => {} });
  for await (const part of answer.stream) if (part.type === 'error') throw part.error;
  return answer;
}

async function told(answer) {
  const usage = await answer.usage;
  return said({
    finish: await answer.finishReason,
    text: await answer.text,
    thinking: await answer.reasoningText,
    calls: (await answer.toolCalls).map((call) => [call.toolName, call.input]),
    usage: [usage.inputTokens, usage.outputTokens, usage.inputTokenDetails.cacheReadTokens],
  });
}

const text = async (request, stream) => (stream ? streamText(request) : await generateText(request)).text;

const loop = (api) => async (url, name, stream) => {
  const model = providers[api](url);
  if (name === 'talk') return { text: await talked(model, stream) };
  return { text: await text({ model, prompt: question, tools: executed, stopWhen: isStepCount(5) }, stream) };
};

async function talked(model, stream) {
  const messages = [];
  for (const content of talk) {
    messages.push({ role: 'user', content });
    messages.push({ role: 'assistant', content: await text({ model, messages }, stream) });
  }
  return messages.at(-1).content;
}

const embedders = {
  openai: (url) => createOpenAI({ baseURL: `${url}/v1`, apiKey }).embedding('text-embedding-3-small'),
  gemini: (url) => createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey }).embedding('gemini-embedding-001'),
};

const others = (api) => async (url) =>
  beside({ vectors: (await embedMany({ model: embedders[api](url), values: ['cat', 'a dog'] })).embeddings });

const all = (play) => Object.fromEntries(Object.keys(providers).map((api) => [api, play(api)]));

await run({
  case: all(ask),
  loop: all(loop),
  beside: { openai: others('openai'), gemini: others('gemini') },
});
