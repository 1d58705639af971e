#!/usr/bin/env node
// A plugin in JavaScript: it serves grpctest.Test to a host that speaks go-plugin's protocol.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { make, toPEM } from './certificate.js';
import * as wire from './wire.js';

const GRACE = 500; // milliseconds for calls in flight once the plugin stops; a host kills it after two seconds
const WATCH = 1000; // milliseconds between two looks whether the host lives

// The service that this plugin is for.
const test = {
  Double(call, answer) {
    answer(null, { output: 2 * call.request.input });
  },
  Stream(call) {
    call.on('data', (request) => call.write({ output: 2 * request.input }));
    call.on('end', () => call.end());
  },
  PrintStdio(call, answer) {
    process.stdout.write(call.request.stdout);
    process.stderr.write(call.request.stderr);
    answer(null, {});
  },
};

// What a host does with the plugin itself: ask whether it is well, and stop it.
const health = {
  Check(call, answer) {
    const known = ['', 'plugin', 'grpctest.Test'].includes(call.request.service);
    answer(known ? null : { code: grpc.status.NOT_FOUND, details: 'unknown service' }, { status: wire.SERVING });
  },
};

const controller = (stop) => ({
  Shutdown(call, answer) {
    answer(null, {});
    stop();
  },
});

// security returns the server's credentials, and its certificate (DER) if the host asks for mutual TLS.
function security() {
  const host = wire.take('PLUGIN_CLIENT_CERT');
  if (host === '') {
    return { credentials: grpc.ServerCredentials.createInsecure() };
  }
  const { key, certificate } = make();
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(toPEM(certificate)) };
  return { credentials: grpc.ServerCredentials.createSsl(Buffer.from(toPEM(host)), [pair], true), certificate };
}

// listen listens where the host can connect, and returns network and address for the handshake line.
async function listen(server, folder, credentials) {
  const bind = promisify(server.bindAsync.bind(server));
  if ((wire.take('PLUGIN_TRANSPORTS') || 'unix').split(',').includes('unix')) {
    const address = path.join(folder, 'socket');
    await bind(`unix:${address}`, credentials);
    return ['unix', address];
  }
  const [first, last] = ['PLUGIN_MIN_PORT', 'PLUGIN_MAX_PORT'].map((name) => Number(wire.take(name)));
  for (let port = first; port <= last; port++) {
    try {
      return ['tcp', `127.0.0.1:${await bind(`127.0.0.1:${port}`, credentials)}`];
    } catch {
      // somebody else has that port
    }
  }
  throw new Error(`no free port within ${first} and ${last}`);
}

// announce prints the handshake line. What is printed on stdout afterwards goes to stderr: this plugin has no
// GRPCStdio, and the host drops or logs what it finds on the real stdout.
function announce(line) {
  fs.writeSync(1, line);
  process.stdout.write = process.stderr.write.bind(process.stderr);
}

// whenHostDies calls back when this process has got another parent.
function whenHostDies(callback) {
  const host = process.ppid;
  const look = () => process.ppid !== host && callback();
  setInterval(look, WATCH).unref();
}

// newServer returns a gRPC server of all services of a plugin.
function newServer(stop) {
  const server = new grpc.Server();
  server.addService(wire.Test.service, test);
  server.addService(wire.Health.service, health);
  server.addService(wire.Controller.service, controller(stop));
  return server;
}

async function main() {
  if (wire.take(wire.COOKIE_KEY) !== wire.COOKIE_VALUE) {
    throw new Error('this is a plugin: a host program starts it');
  }
  const folder = fs.mkdtempSync(path.join(wire.take('PLUGIN_UNIX_SOCKET_DIR') || os.tmpdir(), 'plugin-')); // private: mode 0700
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

  const stop = () => {
    server.tryShutdown(() => process.exit(0));
    setTimeout(() => server.forceShutdown(), GRACE).unref();
  };
  const server = newServer(stop);
  process.on('SIGINT', () => {}); // Ctrl-C is the host's business
  process.on('SIGTERM', stop);
  whenHostDies(stop);

  const offered = wire.take('PLUGIN_PROTOCOL_VERSIONS').split(',').map(Number);
  const { credentials, certificate } = security();
  const [network, address] = await listen(server, folder, credentials);
  announce(wire.formatLine(wire.negotiate(wire.VERSIONS, offered), network, address, certificate));
}

main().catch((error) => {
  process.stderr.write(`cannot start the plugin: ${error.message}\n`);
  process.exit(1);
});
