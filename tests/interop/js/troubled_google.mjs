// The `@google/genai` SDK as it comes, which does not retry, and told to retry; whole and streamed.

import { GoogleGenAI } from '@google/genai';
import { models, parameters, run } from './troubled.mjs';

const tools = [
  { functionDeclarations: [{ name: 'get_weather', description: 'The weather.', parametersJsonSchema: parameters }] },
];
const request = (headers, contents) => ({
  model: models.gemini,
  contents,
  config: { tools, httpOptions: { headers } },
});
const texts = (answer) => (answer.candidates?.[0]?.content?.parts ?? []).map((part) => part.text ?? '');

const plays = (client, told) => ({
  [`whole${told}`]: async ({ url, key, headers, says }, heard) => {
    heard.push(...texts(await client(url, key).models.generateContent(request(headers, says))));
  },
  [`streamed${told}`]: async ({ url, key, headers, says }, heard) => {
    for await (const chunk of await client(url, key).models.generateContentStream(request(headers, says)))
      heard.push(...texts(chunk));
  },
});

const connect = (options) => (baseUrl, apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl, ...options } });
const patient = connect({ retryOptions: { attempts: 3 } });
await run({ gemini: { ...plays(connect({}), ''), ...plays(patient, ', told to retry') } }, ['status', 'message']);
