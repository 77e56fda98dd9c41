// The `@anthropic-ai/sdk` as it comes, with its own retries, whole and streamed.

import Anthropic from '@anthropic-ai/sdk';
import { models, parameters, run } from './troubled.mjs';

const client = (baseURL, apiKey) => new Anthropic({ baseURL, apiKey });
const tools = [{ name: 'get_weather', description: 'The weather.', input_schema: parameters }];
const request = (content) => ({
  model: models.anthropic,
  max_tokens: 4096,
  messages: [{ role: 'user', content }],
  tools,
});
const delta = (event) => (event.type === 'content_block_delta' ? (event.delta.text ?? '') : '');

const anthropic = {
  async whole({ url, key, headers, says }, heard) {
    const { content } = await client(url, key).messages.create(request(says), { headers });
    heard.push(...content.map((block) => block.text ?? ''));
  },
  async streamed({ url, key, headers, says }, heard) {
    for await (const event of await client(url, key).messages.create({ ...request(says), stream: true }, { headers }))
      heard.push(delta(event));
  },
  async helper({ url, key, headers, says }, heard) {
    const helper = client(url, key).messages.stream(request(says), { headers });
    for await (const event of helper) heard.push(delta(event));
    await helper.finalMessage();
  },
};

await run({ anthropic }, [
  'status', 'message', 'error.error.message', 'type', 'error.error.type', 'error.error.details.error_code', 'requestID',
  'headers.retry-after',
]);
