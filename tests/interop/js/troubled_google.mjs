// The `@google/genai` SDK as it comes, which does not retry, and told to retry; whole and streamed.

import { GoogleGenAI } from '@google/genai';
import { models, parameters, run } from './troubled.mjs';

const tools = [
  { functionDeclarations: [{ name: 'get_weather', description: 'The weather.', parametersJsonSchema: parameters }] },
];
const request = ({ says }) => ({ model: models.gemini, contents: says, config: { tools } });
const texts = (answer) =>
  (answer.candidates?.[0]?.content?.parts ?? []).map((part) =>
    part.functionCall ? JSON.stringify(part.functionCall.args) : (part.text ?? ''),
  );

const plays = (told, retryOptions) => {
  const client = ({ url, key, headers, timeout }) =>
    new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url, headers, timeout, retryOptions } });
  return {
    [`whole${told}`]: async (asked, heard) => {
      heard.push(...texts(await client(asked).models.generateContent(request(asked))));
    },
    [`streamed${told}`]: async (asked, heard) => {
      for await (const chunk of await client(asked).models.generateContentStream(request(asked)))
        heard.push(...texts(chunk));
    },
  };
};

await run({ gemini: { ...plays(''), ...plays(', told to retry', { attempts: 3 }) } }, ['status', 'message']);
