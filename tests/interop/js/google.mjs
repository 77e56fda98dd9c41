// The `@google/genai` SDK.

import { ApiError, GoogleGenAI } from '@google/genai';
import { beside, failed, getWeather, models, parameters, question, run, said, talk } from './playing.mjs';

const declared = { name: 'get_weather', description: 'The weather.', parametersJsonSchema: parameters };
const tools = [{ functionDeclarations: [declared] }];

const connect = (url, attempts = 1) =>
  new GoogleGenAI({
    apiKey: 'any',
    // It retries only if told to, and waits about a second without being told better.
    httpOptions: { baseUrl: url, retryOptions: { attempts, initialDelay: 0.01, jitter: 0 } },
  });

async function ask(url, name, stream) {
  const config = name === 'structured' ? { responseMimeType: 'application/json' } : { tools };
  if (name.startsWith('reasoning')) config.thinkingConfig = { includeThoughts: true };
  try {
    return told(await answers(connect(url), { model: models.gemini, contents: name, config }, stream));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return failed(error, error.status, JSON.parse(error.message).error.status);
  }
}

// The answer, or its chunks.
async function answers(client, request, stream) {
  if (!stream) return [await client.models.generateContent(request)];
  return Array.fromAsync(await client.models.generateContentStream(request));
}

const parts = (chunks) => chunks.flatMap((chunk) => chunk.candidates?.[0]?.content?.parts ?? []);
const texts = (found) => found.map((part) => part.text ?? '').join('');

function told(chunks) {
  const usage = chunks.at(-1).usageMetadata;
  const found = parts(chunks);
  const blocked = chunks.at(-1).promptFeedback;
  return said({
    finish: blocked?.blockReason ?? chunks.at(-1).candidates[0].finishReason,
    refusal: blocked?.blockReasonMessage,
    text: texts(found.filter((part) => !part.thought)),
    thinking: texts(found.filter((part) => part.thought)),
    calls: found.flatMap(({ functionCall: call }) => (call ? [[call.name, call.args]] : [])),
    usage: [
      usage.promptTokenCount,
      (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
      usage.cachedContentTokenCount,
    ],
  });
}

// By hand with the history; or by the chat that keeps it.
async function loop(url, name, stream) {
  const client = connect(url, 3);
  if (name === 'talk') return { text: await talked(client.chats.create({ model: models.gemini }), stream) };
  const contents = [{ role: 'user', parts: [{ text: question }] }];
  for (;;) {
    const found = parts(await answers(client, { model: models.gemini, contents, config: { tools } }, stream));
    contents.push({ role: 'model', parts: found });
    const calls = found.flatMap(({ functionCall }) => functionCall ?? []);
    if (!calls.length) return { text: texts(found) };
    const results = calls.map(({ id, name, args }) => ({
      functionResponse: { id, name, response: { result: getWeather(args) } },
    }));
    contents.push({ role: 'user', parts: results });
  }
}

async function talked(chat, stream) {
  let last;
  for (const message of talk) {
    const answer = await (stream ? chat.sendMessageStream({ message }) : chat.sendMessage({ message }));
    last = texts(parts(stream ? await Array.fromAsync(answer) : [answer]));
  }
  return last;
}

async function others(url) {
  const client = connect(url);
  const made = await client.models.embedContent({ model: 'gemini-embedding-001', contents: ['cat', 'a dog'] });
  return beside({
    models: (await Array.fromAsync(await client.models.list())).map((model) => model.name),
    vectors: made.embeddings.map((each) => each.values),
    tokens: (await client.models.countTokens({ model: models.gemini, contents: 'hello' })).totalTokens,
  });
}

await run({ case: { gemini: ask }, loop: { gemini: loop }, beside: { gemini: others } });
