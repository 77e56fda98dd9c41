// `openid-client`, and oauth4webapi below it, which also verifies the access tokens.

import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import OpenAI from 'openai';
import * as openid from 'openid-client';
import { run } from './playing.mjs';

const [id, secret, scope] = ['agent', 's3cret', 'openid email'];
const [callback, farewell] = ['http://localhost:7777/callback', 'http://localhost:7777/bye'];
const code = 'urn:ietf:params:oauth:grant-type:device_code';
const tools = [{ type: 'function', function: { name: 'report', parameters: { type: 'object' } } }];
const insecure = { execute: [openid.allowInsecureRequests] };

// The admin API, in the session of the base URL.
async function admin(url, path, body) {
  const asked = body && { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`${url}/_llmposter/${path}`, asked);
  assert.ok(answer.ok, `${answer.status} ${path}`);
  return answer.json();
}

const issuer = async (url) => new URL((await admin(url, 'health')).oauth_url);
const known = async (url) =>
  openid.discovery(await issuer(url), id, undefined, openid.ClientSecretBasic(secret), insecure);
const expire = (url, name = 'alice') => admin(url, 'tokens/expire', { name });

async function browse(address) {
  const answer = await fetch(address, { redirect: 'manual' });
  assert.equal(answer.status, 303, await answer.text());
  return new URL(answer.headers.get('location'));
}

async function consented(config) {
  const [verifier, state, nonce] = [openid.randomPKCECodeVerifier(), openid.randomState(), openid.randomNonce()];
  const address = openid.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope,
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  return openid.authorizationCodeGrant(config, await browse(address), checks);
}

const refresh = (config) => (token) => openid.refreshTokenGrant(config, token.refresh_token);

async function refused(ask) {
  try {
    await ask();
  } catch (error) {
    if (!error.error) throw error;
    return error.error;
  }
  return 'nothing';
}

// As a resource server does that is built on it (RFC 9068).
function verified(config, token) {
  const request = new Request('http://localhost/', { headers: { authorization: `Bearer ${token.access_token}` } });
  const options = { [oauth.allowInsecureRequests]: true };
  return oauth.validateJwtAccessToken(config.serverMetadata(), request, config.clientMetadata().client_id, options);
}

const connect = (url, token) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: async () => token().access_token, maxRetries: 0 });

async function letIn(url, token) {
  try {
    await connect(url, () => token).models.list();
  } catch (error) {
    if (!(error instanceof OpenAI.AuthenticationError)) throw error;
    return error.code;
  }
  return 'yes';
}

// A loop whose token ends while the tool runs: the 401 makes the application get another one, and ask again.
async function worked(url, token, again, name) {
  const client = connect(url, () => token);
  const messages = [{ role: 'user', content: 'Run the report.' }];
  const ask = async () => {
    const answer = await client.chat.completions.create({ model: 'gpt-4o', messages, tools });
    const [{ message }] = answer.choices;
    messages.push(message);
    for (const call of message.tool_calls ?? []) {
      messages.push({ role: 'tool', tool_call_id: call.id, content: '{"rows": 12}' });
      return call.function.name;
    }
    return message.content;
  };
  const said = [await ask()];
  await expire(url, name);
  try {
    said.push(await ask());
  } catch (error) {
    if (!(error instanceof OpenAI.AuthenticationError)) throw error;
    said.push(error.code);
    token = await again(token);
  }
  return [[...said, await ask()], token];
}

async function life(url) {
  const config = await known(url);
  const first = await consented(config);
  const [access, identity] = [await verified(config, first), first.claims()];
  const userinfo = await openid.fetchUserInfo(config, first.access_token, identity.sub);
  const [loop, second] = await worked(url, first, refresh(config));
  const { active } = await openid.tokenIntrospection(config, second.access_token);
  await openid.tokenRevocation(config, second.refresh_token, { token_type_hint: 'refresh_token' });
  const third = await consented(config);
  const fourth = await refresh(config)(third);
  const fifth = await consented(config);
  const reused = [await refused(() => refresh(config)(third)), await refused(() => refresh(config)(fourth))];
  const bye = await fetch(openid.buildEndSessionUrl(config, { id_token_hint: fifth.id_token }));
  return {
    access: [access.sub, access.client_id, access.scope],
    identity: [identity.sub, identity.email],
    userinfo,
    loop,
    rotated: first.refresh_token !== second.refresh_token,
    revoked: [
      active,
      await openid.tokenIntrospection(config, second.access_token),
      await letIn(url, second),
    ],
    reused,
    'after reuse': await openid.tokenIntrospection(config, fourth.access_token),
    'logged out': [bye.status, await openid.tokenIntrospection(config, fifth.access_token)],
  };
}

// A client that registers without a secret, and has its user come back from the end of the session.
async function registered(url) {
  const metadata = {
    redirect_uris: [callback],
    post_logout_redirect_uris: [farewell],
    token_endpoint_auth_method: 'none',
  };
  const config = await openid.dynamicClientRegistration(await issuer(url), metadata, openid.None(), insecure);
  const first = await consented(config);
  const access = await verified(config, first);
  const [loop, second] = await worked(url, first, refresh(config));
  const asked = { id_token_hint: second.id_token, post_logout_redirect_uri: farewell, state: 's' };
  const bye = await browse(openid.buildEndSessionUrl(config, asked));
  return { access: access.sub, loop, 'logged out': [bye.href, await letIn(url, second)] };
}

async function itself(url) {
  const config = await known(url);
  const token = await openid.clientCredentialsGrant(config);
  const access = await verified(config, token);
  const [loop] = await worked(url, token, () => openid.clientCredentialsGrant(config), id);
  return { access: access.sub, refresh: 'refresh_token' in token, loop };
}

// It polls by itself; somebody lets it in after it was told once to wait.
async function polled(url) {
  const config = await known(url);
  const denied = await openid.initiateDeviceAuthorization(config, { scope });
  await admin(url, 'oauth/deny', { user_code: denied.user_code });
  const late = [await refused(() => openid.pollDeviceAuthorizationGrant(config, denied))];
  const shown = await openid.initiateDeviceAuthorization(config, { scope });
  const early = [];
  config[openid.customFetch] = async (...asked) => {
    const answer = await fetch(...asked);
    if (!answer.ok) {
      early.push((await answer.clone().json()).error);
      await admin(url, 'oauth/approve', { user_code: shown.user_code });
    }
    return answer;
  };
  const token = await openid.pollDeviceAuthorizationGrant(config, shown);
  config[openid.customFetch] = undefined;
  const [loop] = await worked(url, token, refresh(config));
  late.push(await refused(() => openid.genericGrantRequest(config, code, { device_code: shown.device_code })));
  return { early, loop, late };
}

await run({ flow: { code: life, registered, itself, polled } });
