// What VS Code's own engine makes of lines: reads grammars and a text on standard input, writes each token's scopes.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { text as read } from 'node:stream/consumers';

const require = createRequire(import.meta.url);
const { Registry, INITIAL, parseRawGrammar } = require('vscode-textmate');
const oniguruma = require('vscode-oniguruma');

await oniguruma.loadWASM(readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm')).buffer);
const { host, grammars, text } = JSON.parse(await read(process.stdin));
const known = Object.fromEntries(grammars.map((path) => [JSON.parse(readFileSync(path)).scopeName, path]));
const injected = Object.entries(known).filter(([, path]) => JSON.parse(readFileSync(path)).injectionSelector);
const registry = new Registry({
  onigLib: Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (string) => new oniguruma.OnigString(string),
  }),
  loadGrammar: async (scope) => (known[scope] ? parseRawGrammar(readFileSync(known[scope], 'utf8'), known[scope]) : null),
  getInjections: (scope) => (scope === host ? injected.map(([name]) => name) : []),
});
const grammar = await registry.loadGrammar(host);
let state = INITIAL;
const told = text.split('\n').map((line) => {
  const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
  state = ruleStack;
  return tokens.map(({ startIndex, endIndex, scopes }) => [line.slice(startIndex, endIndex), scopes]);
});
console.log(JSON.stringify(told));
