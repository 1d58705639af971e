#!/usr/bin/env node
// A host in JavaScript: it starts a plugin that speaks go-plugin's protocol, uses grpctest.Test, and stops it.
//
// Usage: host.js [--tcp] [--tls] PLUGIN [ARGUMENT...]
//
// It prints what came of it as one JSON object.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { make, toPEM } from './certificate.js';
import * as wire from './wire.js';

const START = 30_000, CALL = 30_000, STOP = 10_000; // milliseconds before something counts as hung
const PORTS = [10000, 25000];

// within fails if promise takes longer than limit.
async function within(limit, what, promise) {
  const timer = new AbortController();
  const late = delay(limit, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what}: it took longer than ${limit} ms`);
  });
  late.catch(() => {});
  return Promise.race([promise, late]).finally(() => timer.abort());
}

// call makes a unary call.
function call(client, method, request) {
  return promisify(client[method].bind(client))(request, { deadline: Date.now() + CALL });
}

// Plugin is a running plugin.
class Plugin {
  static async start([program, ...args], { tls, tcp }) {
    const plugin = new Plugin();
    plugin.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'host-')); // private: mode 0700
    plugin.identity = tls ? make() : undefined;
    plugin.child = spawn(program, args, {
      env: plugin.environment(tcp),
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true, // a process group of its own
    });
    plugin.exited = once(plugin.child, 'exit');
    try {
      await within(START, 'start the plugin', plugin.bringUp());
    } catch (error) {
      plugin.kill();
      throw error;
    }
    return plugin;
  }

  environment(tcp) {
    // A PLUGIN_ variable that some other host set for us is not for our plugin.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PLUGIN_'));
    return {
      ...Object.fromEntries(inherited),
      [wire.COOKIE_KEY]: wire.COOKIE_VALUE,
      PLUGIN_PROTOCOL_VERSIONS: wire.VERSIONS.join(','),
      PLUGIN_TRANSPORTS: tcp ? 'tcp' : 'unix',
      PLUGIN_MIN_PORT: String(PORTS[0]),
      PLUGIN_MAX_PORT: String(PORTS[1]),
      PLUGIN_UNIX_SOCKET_DIR: this.folder,
      ...(this.identity && { PLUGIN_CLIENT_CERT: toPEM(this.identity.certificate) }),
    };
  }

  async bringUp() {
    const ended = this.exited.then(([code]) => {
      throw new Error(`the plugin ended with code ${code} and no handshake line`);
    });
    const { version, target, certificate } = await Promise.race([this.line(), ended]);
    if (!wire.VERSIONS.includes(version)) {
      throw new Error(`the plugin speaks version ${version}, this host ${wire.VERSIONS}`);
    }
    this.version = version;
    this.connect(target, this.credentials(certificate));
    await promisify(this.test.waitForReady.bind(this.test))(Date.now() + START);
  }

  // line waits for the handshake line. What else the plugin prints there is read for as long as it lives: a full
  // pipe would block it.
  line() {
    return new Promise((resolve) => {
      readline.createInterface({ input: this.child.stdout }).on('line', (text) => {
        const response = wire.parseLine(text);
        if (response) {
          resolve(response);
        }
      });
    });
  }

  // credentials sees to it that the plugin shows the certificate that it announced. TLS that is missing or that nobody
  // asked for ends it here.
  credentials(certificate) {
    if (Boolean(certificate) !== Boolean(this.identity)) {
      throw new Error(certificate ? 'TLS: nobody asked for a certificate' : 'TLS: the plugin has no certificate');
    }
    if (!certificate) {
      return grpc.credentials.createInsecure();
    }
    const checkServerIdentity = (_, shown) =>
      shown.raw.equals(certificate) ? undefined : new Error('TLS: this is not the certificate that the plugin announced');
    const { key, certificate: ours } = this.identity;
    return grpc.credentials.createSsl(
      Buffer.from(toPEM(certificate)), Buffer.from(key), Buffer.from(toPEM(ours)), { checkServerIdentity },
    );
  }

  connect(target, credentials) {
    const options = { 'grpc.ssl_target_name_override': 'localhost', 'grpc.default_authority': 'localhost', 'grpc.enable_http_proxy': 0 };
    this.test = new wire.Test(target, credentials, options);
    const shared = { channelOverride: this.test.getChannel() };
    this.health = new wire.Health(target, credentials, shared);
    this.controller = new wire.Controller(target, credentials, shared);
    this.printed = new wire.Stdio(target, credentials, shared).StreamStdio({});
    this.printed.on('error', () => {}); // Unimplemented: it has no such service. Unavailable: it has ended
  }

  async ping() {
    return (await call(this.health, 'Check', { service: 'plugin' })).status;
  }

  // close asks the plugin to end, and insists. It returns the exit code, or null if the plugin had to be killed.
  async close() {
    try {
      await within(STOP, 'Shutdown', call(this.controller, 'Shutdown', {}));
    } catch (error) {
      if (error.code !== grpc.status.UNAVAILABLE) { // that is a plugin which has ended before it answered
        this.signal('SIGTERM');
      }
    }
    await within(STOP, 'exit', this.exited).catch(() => {});
    this.kill();
    const [code] = await this.exited;
    return code;
  }

  // kill ends the plugin and its children, and removes what is left.
  kill() {
    this.signal('SIGKILL');
    this.test?.close();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  signal(name) {
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // it has ended
    }
  }
}

// stream sends ten numbers and returns the answers.
async function stream(test) {
  const answers = [];
  const exchange = test.Stream({ deadline: Date.now() + CALL });
  exchange.on('data', ({ output }) => answers.push(output));
  const ended = once(exchange, 'end');
  for (let input = 0; input < 10; input++) {
    exchange.write({ input });
  }
  exchange.end();
  await ended;
  return answers;
}

// printedLine has the plugin print a line, and waits until it arrives.
async function printedLine({ test, printed }) {
  let text = '';
  const line = new Promise((resolve) => {
    printed.on('data', ({ data }) => {
      text += data;
      if (text.endsWith('\n')) {
        resolve(text);
      }
    });
    printed.on('end', () => resolve(text));
  });
  await call(test, 'PrintStdio', { stdout: Buffer.from('to stdout\n') });
  return within(CALL, 'the printed line', line);
}

async function main() {
  const args = process.argv.slice(2);
  const flags = [];
  while (args[0]?.startsWith('--')) {
    flags.push(args.shift());
  }
  const plugin = await Plugin.start(args, { tls: flags.includes('--tls'), tcp: flags.includes('--tcp') });
  const report = { pid: plugin.child.pid, version: plugin.version };
  try {
    report.ping = await plugin.ping();
    report.double = (await call(plugin.test, 'Double', { input: 21 })).output;
    report.stream = await stream(plugin.test);
    report.stdout = await printedLine(plugin);
  } finally {
    report.exit = await plugin.close();
  }
  console.log(JSON.stringify(report));
}

await main();
