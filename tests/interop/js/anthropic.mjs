// The `@anthropic-ai/sdk`.

import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import { beside, failed, getWeather, models, parameters, question, run, said } from './playing.mjs';

const declared = { name: 'get_weather', description: 'The weather.', input_schema: parameters };
const request = { model: models.anthropic, max_tokens: 4096, tools: [declared] };
const thinking = { type: 'enabled', budget_tokens: 1024 };

const connect = (url, maxRetries = 0) => new Anthropic({ baseURL: url, apiKey: 'any', maxRetries });

async function ask(url, name, stream) {
  const asked = { ...request, messages: [{ role: 'user', content: name }] };
  if (name.startsWith('reasoning')) asked.thinking = thinking;
  try {
    return told(await message(connect(url), asked, stream));
  } catch (error) {
    if (!(error instanceof Anthropic.APIError) || !error.status) throw error;
    return failed(error, error.status, error.error?.error?.type);
  }
}

async function message(client, asked, stream) {
  if (!stream) return client.messages.create(asked);
  let text = '';
  const helper = client.messages.stream(asked).on('text', (delta) => (text += delta));
  const answer = await helper.finalMessage();
  assert.equal(text, texts(answer));
  return answer;
}

const of = (answer, type) => answer.content.filter((block) => block.type === type);
const texts = (answer) => of(answer, 'text').map((block) => block.text).join('');

function told(answer) {
  const { input_tokens: input, output_tokens: output, cache_read_input_tokens: cached } = answer.usage;
  return said({
    finish: answer.stop_reason,
    text: texts(answer),
    thinking: of(answer, 'thinking').map((block) => block.thinking).join(''),
    calls: of(answer, 'tool_use').map((call) => [call.name, call.input]),
    usage: [input + cached, output, cached],
  });
}

async function loop(url, name, stream) {
  const client = connect(url, 2);
  const messages = [{ role: 'user', content: question }];
  for (;;) {
    const asked = { ...request, messages, ...(name === 'reasoning' && { thinking }) };
    const answer = await message(client, asked, stream);
    messages.push({ role: 'assistant', content: answer.content });
    const calls = of(answer, 'tool_use');
    if (!calls.length) return { text: texts(answer) };
    const result = ({ id, input }) => ({ type: 'tool_result', tool_use_id: id, content: getWeather(input) });
    const content = calls.map(result);
    messages.push({ role: 'user', content });
  }
}

async function others(url) {
  const client = connect(url);
  const asked = { model: models.anthropic, messages: [{ role: 'user', content: 'hello' }] };
  return beside({
    models: (await Array.fromAsync(client.models.list())).map((model) => model.id),
    tokens: (await client.messages.countTokens(asked)).input_tokens,
  });
}

await run({ case: { anthropic: ask }, loop: { anthropic: loop }, beside: { anthropic: others } });
