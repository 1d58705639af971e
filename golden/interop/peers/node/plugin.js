#!/usr/bin/env node
// A plugin in JavaScript: it serves interop.Peer to a host that speaks go-plugin's protocol.

import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import { make } from './certificate.js';
import { Broker, mutual, Place, PLAIN } from './connection.js';
import * as wire from './wire.js';

const GRACE = 500; // milliseconds for calls in flight once the plugin stops; a host kills it after two seconds
const WATCH = 1000; // milliseconds between two looks whether the host lives

// reply answers a unary call with what a promise comes to.
function reply(answer, promise) {
  promise.then((response) => answer(null, response), (error) => answer({ code: grpc.status.INTERNAL, details: error.message }));
}

// peer is the service that this plugin is for, of one protocol version.
const peer = (version, broker) => ({
  Double: (call, answer) => answer(null, { value: 2 * call.request.value }),
  Served: (call, answer) => answer(null, { value: version }),
  Print(call, answer) {
    process.stdout.write(call.request.value);
    process.stderr.write(call.request.value);
    answer(null, {});
  },
  Log(call, answer) {
    log('warn', 'a record of the plugin', { answer: 42, name: 'Ada' });
    answer(null, {});
  },
  CallBack: (call, answer) => reply(answer, broker.ask(call.request.value, 'plugin').then((value) => ({ value }))),
  Offer: (call, answer) => reply(answer, broker.offer().then((value) => ({ value }))),
  Count(call) {
    for (let value = 0; value < call.request.value; value++) {
      call.write({ value });
    }
    call.end();
  },
  Sum(call, answer) {
    let sum = 0;
    call.on('data', ({ value }) => { sum += value; });
    call.on('end', () => answer(null, { value: sum }));
  },
  Stream(call) {
    call.on('data', ({ value }) => call.write({ value: 2 * value }));
    call.on('end', () => call.end());
  },
  Hang: (call) => call.write({ value: 0 }),
});

// log writes a record as hosts read them: one JSON object on a line of stderr.
function log(level, message, pairs) {
  const now = new Date().toISOString().replace('Z', '000Z'); // microseconds
  process.stderr.write(`${JSON.stringify({ '@level': level, '@message': message, '@timestamp': now, ...pairs })}\n`);
}

// What a host does with the plugin itself: ask whether it is well, and stop it.
const health = {
  Check(call, answer) {
    const known = ['', 'plugin', 'interop.Peer'].includes(call.request.service);
    answer(known ? null : { code: grpc.status.NOT_FOUND, details: 'unknown service' }, { status: wire.SERVING });
  },
};

const controller = (stop) => ({
  Shutdown(call, answer) {
    answer(null, {});
    stop();
  },
});

// Printed is what the plugin prints on its stdout after the start; it goes to the host through GRPCStdio.
class Printed {
  #pieces = []; // until a host reads
  #stream;

  StreamStdio = (call) => {
    this.#stream = call;
    this.#pieces.splice(0).forEach((data) => this.#send(data));
  };

  // take gets all that is printed from now on.
  take() {
    process.stdout.write = (data, encoding, done) => {
      this.#send(Buffer.from(data));
      (typeof encoding === 'function' ? encoding : done)?.();
      return true;
    };
  }

  end() {
    this.#stream?.end();
  }

  #send(data) {
    if (this.#stream) {
      this.#stream.write({ channel: wire.STDOUT, data });
    } else {
      this.#pieces.push(data);
    }
  }
}

// security returns how this plugin connects, and its certificate (DER) if the host asks for mutual TLS.
function security() {
  const host = wire.take('PLUGIN_CLIENT_CERT');
  if (host === '') {
    return [PLAIN];
  }
  const own = make();
  return [mutual(own, new crypto.X509Certificate(host).raw), own.certificate];
}

// place returns where the host can connect.
function place(folder) {
  const ports = ['PLUGIN_MIN_PORT', 'PLUGIN_MAX_PORT'].map((name) => Number(wire.take(name)));
  return new Place(folder, (wire.take('PLUGIN_TRANSPORTS') || 'unix').split(',').includes('unix') ? undefined : ports);
}

// whenHostDies calls back when this process has got another parent.
function whenHostDies(callback) {
  const host = process.ppid;
  const look = () => process.ppid !== host && callback();
  setInterval(look, WATCH).unref();
}

// newServer returns a gRPC server of all services of a plugin.
function newServer(version, broker, printed, stop) {
  const server = new grpc.Server();
  server.addService(wire.Peer.service, peer(version, broker));
  server.addService(wire.Health.service, health);
  server.addService(wire.Controller.service, controller(stop));
  server.addService(wire.Stdio.service, printed);
  server.addService(wire.Broker.service, { StartStream: (stream) => broker.attach(stream) });
  return server;
}

async function main() {
  if (wire.take(wire.COOKIE_KEY) !== wire.COOKIE_VALUE) {
    throw new Error('this is a plugin: a host program starts it');
  }
  const folder = fs.mkdtempSync(path.join(wire.take('PLUGIN_UNIX_SOCKET_DIR') || os.tmpdir(), 'plugin-')); // private: mode 0700
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));

  const [secured, certificate] = security();
  const offered = wire.take('PLUGIN_PROTOCOL_VERSIONS').split(',').map(Number);
  const version = wire.negotiate(wire.VERSIONS, offered);
  const where = place(folder);
  const broker = new Broker(where, secured);
  const printed = new Printed();
  const stop = () => {
    printed.end();
    broker.close();
    server.tryShutdown(() => process.exit(0));
    setTimeout(() => process.exit(0), GRACE); // calls that hang are cut off
  };
  const server = newServer(version, broker, printed, stop);
  process.on('SIGINT', () => {}); // Ctrl-C is the host's business
  process.on('SIGTERM', stop);
  whenHostDies(stop);

  const [network, address] = await where.listen(server, secured);
  fs.writeSync(1, wire.formatLine(version, network, address, certificate));
  printed.take();
}

main().catch((error) => {
  process.stderr.write(`cannot start the plugin: ${error.message}\n`);
  process.exit(1);
});
