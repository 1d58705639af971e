#!/usr/bin/env node
// A host in JavaScript: it starts a plugin that speaks go-plugin's protocol, uses interop.Peer, and stops it.
//
// Usage: host.js [--tcp] [--tls] [--broker] [--versions N,N] [--job JOB] PLUGIN [ARGUMENT...]
//
// It prints what it has seen as one JSON object.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { make, toPEM } from './certificate.js';
import { Broker, call, mutual, OPTIONS, Place, PLAIN, target } from './connection.js';
import * as wire from './wire.js';

const START = 30_000, CALL = 30_000; // milliseconds before something counts as hung
const PORTS = [10000, 25000];
const PRINTED = 'printed by the plugin\n';

// Refused is why a plugin is not used.
class Refused extends Error {}

// within fails if promise takes longer than limit.
async function within(limit, what, promise) {
  const timer = new AbortController();
  const late = delay(limit, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`${what}: it took longer than ${limit} ms`);
  });
  late.catch(() => {});
  return Promise.race([promise, late]).finally(() => timer.abort());
}

// Lines is what is read from a plugin, for those who wait for some of it.
class Lines {
  text = '';
  #look = () => {};

  add(text) {
    this.text += text;
    this.#look();
  }

  // waitFor returns everything so far, once text is in it.
  waitFor(text) {
    const arrived = new Promise((resolve) => {
      this.#look = () => this.text.includes(text) && resolve(this.text);
      this.#look();
    });
    return within(CALL, `waiting for ${JSON.stringify(text)}`, arrived);
  }
}

// Plugin is a running plugin.
class Plugin {
  static async start([program, ...args], { tls, tcp, versions }) {
    const plugin = new Plugin();
    plugin.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'host-')); // private: mode 0700
    plugin.identity = tls ? make() : undefined;
    plugin.ports = tcp ? PORTS : undefined;
    plugin.versions = versions;
    plugin.stdout = new Lines();
    plugin.stderr = new Lines();
    plugin.byStdio = ''; // of what is in stderr
    plugin.child = spawn(program, args, {
      env: plugin.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own
    });
    plugin.child.stderr.on('data', (data) => plugin.stderr.add(data));
    plugin.exited = once(plugin.child, 'exit');
    try {
      await within(START, 'start the plugin', plugin.bringUp());
    } catch (error) {
      plugin.kill();
      await plugin.exited;
      throw error;
    }
    return plugin;
  }

  environment() {
    // A PLUGIN_ variable that some other host set for us is not for our plugin.
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PLUGIN_'));
    return {
      ...Object.fromEntries(inherited),
      [wire.COOKIE_KEY]: wire.COOKIE_VALUE,
      PLUGIN_PROTOCOL_VERSIONS: this.versions.join(','),
      PLUGIN_TRANSPORTS: this.ports ? 'tcp' : 'unix',
      PLUGIN_MIN_PORT: String(PORTS[0]),
      PLUGIN_MAX_PORT: String(PORTS[1]),
      PLUGIN_UNIX_SOCKET_DIR: this.folder,
      ...(this.identity && { PLUGIN_CLIENT_CERT: toPEM(this.identity.certificate) }),
    };
  }

  async bringUp() {
    const ended = this.exited.then(([code]) => {
      throw new Refused(`the plugin ended with code ${code} and no handshake line`);
    });
    ended.catch(() => {});
    this.line = await Promise.race([this.firstLine(), ended]);
    const { version, network, address, certificate } = this.line;
    if (!this.versions.includes(version)) {
      throw new Refused(`the plugin speaks version ${version}, this host ${this.versions}`);
    }
    this.security = this.secure(certificate);
    this.connect(target(network, address));
    await promisify(this.peer.waitForReady.bind(this.peer))(Date.now() + START);
  }

  // firstLine waits for the handshake line. What else the plugin prints there is read for as long as it lives: a full
  // pipe would block it.
  firstLine() {
    return new Promise((resolve) => {
      readline.createInterface({ input: this.child.stdout }).on('line', (text) => {
        const response = wire.parseLine(text);
        if (response) {
          resolve(response);
        }
      });
    });
  }

  // secure fails when TLS is missing, or when nobody asked for it.
  secure(certificate) {
    if (Boolean(certificate) !== Boolean(this.identity)) {
      throw new Refused(certificate ? 'TLS: nobody asked for a certificate' : 'TLS: the plugin has no certificate');
    }
    return certificate ? mutual(this.identity, certificate) : PLAIN;
  }

  connect(where) {
    const credentials = this.security.forClients();
    this.peer = new wire.Peer(where, credentials, OPTIONS);
    const shared = { channelOverride: this.peer.getChannel() };
    this.health = new wire.Health(where, credentials, shared);
    this.controller = new wire.Controller(where, credentials, shared);
    this.brokers = new wire.Broker(where, credentials, shared);
    const printed = new wire.Stdio(where, credentials, shared).StreamStdio({});
    printed.on('data', ({ channel, data }) => {
      if (channel === wire.STDOUT) {
        this.stdout.add(data);
      } else {
        this.byStdio += data;
        this.stderr.add(data);
      }
    });
    printed.on('error', () => {}); // Unimplemented: it has no such service. Unavailable: it has ended
  }

  // openBroker lets both sides make further connections.
  openBroker() {
    this.broker = new Broker(new Place(this.folder, this.ports), this.security);
    this.broker.attach(this.brokers.StartStream());
  }

  ask(method, request = {}) {
    return call(this.peer, method, request, CALL);
  }

  // exchange sends numbers and returns the answers of a stream.
  async exchange(method, ...numbers) {
    const answers = [];
    const deadline = { deadline: Date.now() + CALL };
    const stream = method === 'Count' ? this.peer.Count({ value: numbers[0] }, deadline) : this.peer[method](deadline);
    stream.on('data', ({ value }) => answers.push(value));
    const ended = once(stream, 'end');
    if (method !== 'Count') {
      numbers.forEach((value) => stream.write({ value }));
      stream.end();
    }
    await ended;
    return answers;
  }

  // sum sends numbers and returns the one answer.
  sum(numbers) {
    return new Promise((resolve, reject) => {
      const stream = this.peer.Sum({ deadline: Date.now() + CALL }, (error, answer) => (error ? reject(error) : resolve(answer.value)));
      numbers.forEach((value) => stream.write({ value }));
      stream.end();
    });
  }

  async ping() {
    return (await call(this.health, 'Check', { service: 'plugin' }, CALL)).status;
  }

  // close asks the plugin to end, and insists. It returns the exit code, or null if the plugin had to be killed.
  async close(patience) {
    try {
      await call(this.controller, 'Shutdown', {}, patience);
    } catch (error) {
      if (error.code !== grpc.status.UNAVAILABLE) { // that is a plugin which has ended before it answered
        this.signal('SIGTERM');
      }
    }
    await within(patience, 'exit', this.exited).catch(() => {});
    this.kill();
    const [code] = await this.exited;
    return code;
  }

  // kill ends the plugin and its children, and removes what is left.
  kill() {
    this.signal('SIGKILL');
    this.broker?.close();
    this.peer?.close();
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

// record has the plugin log something, and returns the record as it arrives.
async function record(plugin) {
  const message = 'a record of the plugin';
  await plugin.ask('Log');
  const lines = (await plugin.stderr.waitFor(message)).split('\n').filter((line) => line.startsWith('{'));
  const fields = lines.map((line) => JSON.parse(line)).find((line) => line['@message'] === message);
  return { level: fields['@level'], answer: String(fields.answer), name: fields.name };
}

async function everything(plugin, report) {
  report.double = (await plugin.ask('Double', { value: 21 })).value;
  report.count = await plugin.exchange('Count', 5);
  report.sum = await plugin.sum([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  report.stream = await plugin.exchange('Stream', 0, 1, 2, 3, 4);
  await plugin.ask('Print', { value: PRINTED });
  report.stdout = await plugin.stdout.waitFor(PRINTED);
  await plugin.stderr.waitFor(PRINTED.trim());
  report.stderr = PRINTED;
  report.logged = !plugin.byStdio.includes(PRINTED);
  report.log = await record(plugin);
  if (plugin.broker) {
    report.callback = (await plugin.ask('CallBack', { value: await plugin.broker.offer() })).value;
    report.offer = await plugin.broker.ask((await plugin.ask('Offer')).value, 'host');
  }
}

// hang returns when the plugin has begun a call that never ends.
async function hang(plugin) {
  const stream = plugin.peer.Hang({});
  stream.on('error', () => {}); // the plugin ends before the call does
  await within(CALL, 'Hang', once(stream, 'data'));
}

// stopped returns when no thread of the process runs any more, which takes a moment after SIGSTOP.
async function stopped(pid) {
  const tasks = `/proc/${pid}/task`;
  const runs = (thread) => !/\) [tT] /.test(fs.readFileSync(`${tasks}/${thread}/stat`, 'utf8'));
  while (fs.readdirSync(tasks).some(runs)) {
    await delay(1);
  }
}

// run returns what has been seen.
async function run(flags, command) {
  let plugin;
  try {
    plugin = await Plugin.start(command, flags);
  } catch (error) {
    if (error instanceof Refused) {
      return { error: error.message };
    }
    throw error;
  }
  const report = { pid: plugin.child.pid, version: plugin.line.version, network: plugin.line.network, tls: plugin.security !== PLAIN };
  let patience = 10_000; // milliseconds
  try {
    report.ping = (await plugin.ping()) === wire.SERVING;
    report.served = (await plugin.ask('Served')).value;
    if (flags.broker) {
      plugin.openBroker();
    }
    if (flags.job === 'everything') {
      await everything(plugin, report);
    } else if (flags.job === 'hang-call') {
      await hang(plugin);
    } else if (flags.job === 'hang-process') {
      plugin.signal('SIGSTOP');
      await within(CALL, 'SIGSTOP', stopped(plugin.child.pid));
      patience = 200;
    }
  } finally {
    report.exit = await plugin.close(patience);
  }
  return report;
}

// parse takes the flags; what follows them is the plugin.
function parse(args) {
  const boolean = { type: 'boolean', default: false };
  const options = {
    tcp: boolean, tls: boolean, broker: boolean,
    versions: { type: 'string', default: '3' },
    job: { type: 'string', default: 'everything' },
  };
  let first = args.findIndex((arg, i) => !arg.startsWith('--') && !['--versions', '--job'].includes(args[i - 1]));
  first = first < 0 ? args.length : first;
  const { values } = parseArgs({ args: args.slice(0, first), options });
  return [{ ...values, versions: values.versions.split(',').map(Number) }, args.slice(first)];
}

console.log(JSON.stringify(await run(...parse(process.argv.slice(2)))));
