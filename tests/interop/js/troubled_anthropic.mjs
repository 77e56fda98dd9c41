// The `@anthropic-ai/sdk` as it comes, with its own retries, whole and streamed.

import Anthropic from '@anthropic-ai/sdk';
import { models, parameters, run } from './troubled.mjs';

const client = ({ url, key, headers, timeout }) =>
  new Anthropic({ baseURL: url, apiKey: key, defaultHeaders: headers, timeout });
const tools = [{ name: 'get_weather', description: 'The weather.', input_schema: parameters }];
const request = ({ says }) => ({
  model: models.anthropic,
  max_tokens: 4096,
  messages: [{ role: 'user', content: says }],
  tools,
});
const delta = (event) =>
  event.type === 'content_block_delta' ? (event.delta.text ?? event.delta.partial_json ?? '') : '';

const anthropic = {
  async whole(asked, heard) {
    const { content } = await client(asked).messages.create(request(asked));
    heard.push(...content.map((block) => block.text ?? JSON.stringify(block.input)));
  },
  async streamed(asked, heard) {
    for await (const event of await client(asked).messages.create({ ...request(asked), stream: true }))
      heard.push(delta(event));
  },
  async helper(asked, heard) {
    const helper = client(asked).messages.stream(request(asked));
    for await (const event of helper) heard.push(delta(event));
    await helper.finalMessage();
  },
};

await run({ anthropic }, [
  'status', 'message', 'error.error.message', 'type', 'error.error.type', 'error.error.details.error_code', 'requestID',
  'headers.retry-after',
]);
