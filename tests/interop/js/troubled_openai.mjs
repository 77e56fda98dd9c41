// The `openai` SDK as it comes, with its own retries, on Chat Completions and Responses, whole and streamed.

import OpenAI from 'openai';
import { models, parameters, run } from './troubled.mjs';

const client = ({ url, key, headers, timeout }) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: key, defaultHeaders: headers, timeout });
const declared = { name: 'get_weather', description: 'The weather.', parameters };

const chat = ({ says }) => ({
  model: models.openai,
  messages: [{ role: 'user', content: says }],
  tools: [{ type: 'function', function: declared }],
});
const respond = ({ says }) => ({
  model: models.responses,
  input: says,
  tools: [{ type: 'function', ...declared, strict: false }],
});

// Of a message of Chat Completions, whole or the next bit of it.
const texts = (message) => [
  message?.content ?? '',
  ...(message?.tool_calls ?? []).map((call) => call.function.arguments ?? ''),
];
const openai = {
  async whole(asked, heard) {
    heard.push(...texts((await client(asked).chat.completions.create(chat(asked))).choices[0].message));
  },
  async streamed(asked, heard) {
    for await (const chunk of await client(asked).chat.completions.create({ ...chat(asked), stream: true }))
      heard.push(...texts(chunk.choices[0]?.delta));
  },
  async helper(asked, heard) {
    const helper = client(asked).chat.completions.stream(chat(asked));
    for await (const chunk of helper) heard.push(...texts(chunk.choices[0]?.delta));
    await helper.finalChatCompletion();
  },
};

const says = ['response.output_text.delta', 'response.function_call_arguments.delta'];
const delta = (event) => (says.includes(event.type) ? event.delta : '');
const responses = {
  async whole(asked, heard) {
    const answer = await client(asked).responses.create(respond(asked));
    heard.push(answer.output_text, ...answer.output.map((item) => item.arguments ?? ''));
  },
  async streamed(asked, heard) {
    for await (const event of await client(asked).responses.create({ ...respond(asked), stream: true }))
      heard.push(delta(event));
  },
  async helper(asked, heard) {
    const helper = client(asked).responses.stream(respond(asked));
    for await (const event of helper) heard.push(delta(event));
    await helper.finalResponse();
  },
};

await run({ openai, responses }, [
  'status', 'message', 'error.message', 'type', 'code', 'param', 'requestID', 'headers.retry-after',
]);
