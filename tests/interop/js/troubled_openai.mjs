// The `openai` SDK as it comes, with its own retries, on Chat Completions and Responses, whole and streamed.

import OpenAI from 'openai';
import { models, parameters, run } from './troubled.mjs';

const client = (url, apiKey) => new OpenAI({ baseURL: `${url}/v1`, apiKey });
const declared = { name: 'get_weather', description: 'The weather.', parameters };

const chat = (content) => ({
  model: models.openai,
  messages: [{ role: 'user', content }],
  tools: [{ type: 'function', function: declared }],
});
const respond = (input) => ({
  model: models.responses,
  input,
  tools: [{ type: 'function', ...declared, strict: false }],
});

const openai = {
  async whole({ url, key, headers, says }, heard) {
    heard.push((await client(url, key).chat.completions.create(chat(says), { headers })).choices[0].message.content ?? '');
  },
  async streamed({ url, key, headers, says }, heard) {
    for await (const chunk of await client(url, key).chat.completions.create({ ...chat(says), stream: true }, { headers }))
      heard.push(chunk.choices[0]?.delta.content ?? '');
  },
  async helper({ url, key, headers, says }, heard) {
    const helper = client(url, key).chat.completions.stream(chat(says), { headers });
    for await (const chunk of helper) heard.push(chunk.choices[0]?.delta.content ?? '');
    await helper.finalChatCompletion();
  },
};

const delta = (event) => (event.type === 'response.output_text.delta' ? event.delta : '');
const responses = {
  async whole({ url, key, headers, says }, heard) {
    heard.push((await client(url, key).responses.create(respond(says), { headers })).output_text);
  },
  async streamed({ url, key, headers, says }, heard) {
    for await (const event of await client(url, key).responses.create({ ...respond(says), stream: true }, { headers }))
      heard.push(delta(event));
  },
  async helper({ url, key, headers, says }, heard) {
    const helper = client(url, key).responses.stream(respond(says), { headers });
    for await (const event of helper) heard.push(delta(event));
    await helper.finalResponse();
  },
};

await run({ openai, responses }, [
  'status', 'message', 'error.message', 'type', 'code', 'param', 'requestID', 'headers.retry-after',
]);
