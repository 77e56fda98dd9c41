// The `openai` SDK as it comes, with its own retries, on Chat Completions and Responses, whole and streamed.

import OpenAI from 'openai';
import { models, parameters, run } from './troubled.mjs';

const client = new OpenAI({ baseURL: `${process.argv[2]}/v1`, apiKey: 'any' });
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
  async whole(headers, says, heard) {
    heard.push((await client.chat.completions.create(chat(says), { headers })).choices[0].message.content ?? '');
  },
  async streamed(headers, says, heard) {
    for await (const chunk of await client.chat.completions.create({ ...chat(says), stream: true }, { headers }))
      heard.push(chunk.choices[0]?.delta.content ?? '');
  },
  async helper(headers, says, heard) {
    const helper = client.chat.completions.stream(chat(says), { headers });
    for await (const chunk of helper) heard.push(chunk.choices[0]?.delta.content ?? '');
    await helper.finalChatCompletion();
  },
};

const delta = (event) => (event.type === 'response.output_text.delta' ? event.delta : '');
const responses = {
  async whole(headers, says, heard) {
    heard.push((await client.responses.create(respond(says), { headers })).output_text);
  },
  async streamed(headers, says, heard) {
    for await (const event of await client.responses.create({ ...respond(says), stream: true }, { headers }))
      heard.push(delta(event));
  },
  async helper(headers, says, heard) {
    const helper = client.responses.stream(respond(says), { headers });
    for await (const event of helper) heard.push(delta(event));
    await helper.finalResponse();
  },
};

await run({ openai, responses }, [
  'status', 'message', 'error.message', 'type', 'code', 'param', 'requestID', 'headers.retry-after',
]);
