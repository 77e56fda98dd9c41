// The `openai` SDK, on Chat Completions and Responses.

import assert from 'node:assert/strict';
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';
import { beside, failed, getWeather, models, parameters, question, run, said } from './playing.mjs';

const declared = { name: 'get_weather', description: 'The weather.', parameters };
const chatTools = [{ type: 'function', function: declared }];
const tools = [{ type: 'function', ...declared, strict: true }];
const report = z.object({ city: z.string(), temps: z.array(z.number().nullable()) });

const connect = (url, maxRetries = 0) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'any', maxRetries });

const asked = (ask) => async (url, name, stream) => {
  try {
    return await ask(connect(url), name, stream);
  } catch (error) {
    if (!(error instanceof OpenAI.APIError) || !error.status) throw error;
    return failed(error, error.status, error.code ?? error.type);
  }
};

// --- Chat Completions

async function chat(client, name, stream) {
  const request = { model: models.openai, messages: [{ role: 'user', content: name }], tools: chatTools };
  if (name === 'structured' && !stream) {
    const wanted = { response_format: zodResponseFormat(report, 'r'), tools: undefined };
    const answer = await client.chat.completions.parse({ ...request, ...wanted });
    const { parsed, content } = answer.choices[0].message;
    assert.deepEqual(parsed, JSON.parse(content));
    return told(answer);
  }
  if (!stream) return told(await client.chat.completions.create(request));
  const helper = client.chat.completions.stream({ ...request, stream_options: { include_usage: true } });
  let text = '';
  let thinking = '';
  for await (const chunk of helper) {
    text += chunk.choices[0]?.delta.content ?? '';
    thinking += chunk.choices[0]?.delta.reasoning_content ?? '';
  }
  const answer = await helper.finalChatCompletion();
  assert.equal(text, answer.choices[0].message.content ?? '');
  return { ...told(answer), ...(thinking && { thinking }) };
}

function told({ choices: [{ message, finish_reason: finish }], usage }) {
  return said({
    finish,
    text: message.content,
    thinking: message.reasoning_content,
    refusal: message.refusal,
    calls: message.tool_calls?.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
    usage: [usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens],
  });
}

// The runner that calls the tools itself.
async function chatLoop(url, _, stream) {
  const call = { ...declared, parse: JSON.parse, function: getWeather };
  const runner = connect(url, 2).chat.completions.runTools({
    model: models.openai,
    messages: [{ role: 'user', content: question }],
    tools: [{ type: 'function', function: call }],
    stream,
  });
  return { text: await runner.finalContent() };
}

// --- Responses

async function respond(client, name, stream) {
  const request = { model: models.responses, input: name, tools };
  if (name === 'structured' && !stream) {
    const answer = await client.responses.parse({ ...request, text: { format: zodTextFormat(report, 'r') } });
    assert.deepEqual(answer.output_parsed, JSON.parse(answer.output_text));
    return responded(answer);
  }
  if (!stream) return responded(await client.responses.create(request));
  const helper = client.responses.stream(request);
  let text = '';
  for await (const event of helper) if (event.type === 'response.output_text.delta') text += event.delta;
  const answer = await helper.finalResponse();
  assert.equal(text, answer.output_text);
  return responded(answer);
}

function responded(answer) {
  const of = (type) => answer.output.filter((item) => item.type === type);
  return said({
    finish: answer.incomplete_details?.reason ?? answer.status,
    text: answer.output_text,
    thinking: of('reasoning').flatMap((item) => item.summary.map((part) => part.text)).join('\n'),
    refusal: of('message').flatMap((item) => item.content.map((part) => part.refusal ?? '')).join(''),
    calls: of('function_call').map((call) => [call.name, JSON.parse(call.arguments)]),
    usage: [
      answer.usage.input_tokens,
      answer.usage.output_tokens,
      answer.usage.input_tokens_details.cached_tokens,
    ],
  });
}

// By history; or by `previous_response_id`, if the case says so.
async function respondLoop(url, name, stream) {
  const client = connect(url, 2);
  let input = [{ role: 'user', content: question }];
  let previous;
  for (;;) {
    const request = { model: models.responses, input, tools, previous_response_id: previous };
    const answer = await (stream ? client.responses.stream(request).finalResponse() : client.responses.create(request));
    const calls = answer.output.filter((item) => item.type === 'function_call');
    if (!calls.length) return { text: answer.output_text };
    const results = calls.map((call) => ({
      type: 'function_call_output',
      call_id: call.call_id,
      output: getWeather(JSON.parse(call.arguments)),
    }));
    if (name === 'by id') [input, previous] = [results, answer.id];
    else input = [...input, ...answer.output, ...results];
  }
}

// --- beside the conversations

async function others(url) {
  const client = connect(url);
  const made = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['cat', 'a dog'] });
  const judged = await client.moderations.create({ input: 'I could kill for a coffee' });
  return beside({
    models: (await Array.fromAsync(client.models.list())).map((model) => model.id),
    vectors: made.data.map((each) => each.embedding),
    flagged: Object.keys(judged.results[0].categories).filter((name) => judged.results[0].categories[name]),
  });
}

await run({
  case: { openai: asked(chat), responses: asked(respond) },
  loop: { openai: chatLoop, responses: respondLoop },
  beside: { openai: others },
});
