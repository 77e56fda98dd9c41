// Ends a client program that looks up or connects to anything but this machine, telling where it wanted to go.
// Node loads it first (`--import`); its fetch and http make their connections here too.

import dns from 'node:dns';
import net from 'node:net';
import { writeSync } from 'node:fs';

const here = new Set(['127.0.0.1', '::1', 'localhost']);

function check(place) {
  if (here.has(place)) return;
  // An exception could be swallowed by whoever phones home.
  writeSync(2, `the client wanted to reach ${place}\n`);
  process.exit(97);
}

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function guarded(...given) {
  const options = Array.isArray(given[0]) ? given[0][0] : given[0];
  if (typeof options !== 'object') check(given[1] ?? 'localhost');
  else if (!options.path) check(options.host ?? 'localhost');
  return connect.apply(this, given);
};

const { lookup } = dns;
dns.lookup = function guarded(name, ...rest) {
  check(name);
  return lookup.call(this, name, ...rest);
};
