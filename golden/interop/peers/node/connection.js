// How the two sides connect: plain or with TLS, by unix sockets or tcp, to the plugin itself and through the broker.

import path from 'node:path';
import { promisify } from 'node:util';
import grpc from '@grpc/grpc-js';
import { toPEM } from './certificate.js';
import * as wire from './wire.js';

const PATIENCE = 20_000; // milliseconds that an announcement may take

export const OPTIONS = { 'grpc.ssl_target_name_override': 'localhost', 'grpc.default_authority': 'localhost', 'grpc.enable_http_proxy': 0 };

// target is what gRPC dials.
export const target = (network, address) => (network === 'unix' ? `unix:${address}` : address);

// call makes a unary call.
export const call = (client, method, request, patience) =>
  promisify(client[method].bind(client))(request, { deadline: Date.now() + patience });

// PLAIN is connections without TLS.
export const PLAIN = {
  forServers: () => grpc.ServerCredentials.createInsecure(),
  forClients: () => grpc.credentials.createInsecure(),
};

// mutual is connections on which each side shows its certificate, and takes that of the other one alone, byte by byte.
export function mutual({ key, certificate }, peer) {
  const [ownKey, own, root] = [Buffer.from(key), Buffer.from(toPEM(certificate)), Buffer.from(toPEM(peer))];
  const checkServerIdentity = (_, shown) =>
    shown.raw.equals(peer) ? undefined : new Error('TLS: this is not the certificate that was announced');
  return {
    forServers: () => grpc.ServerCredentials.createSsl(root, [{ private_key: ownKey, cert_chain: own }], true),
    forClients: () => grpc.credentials.createSsl(root, ownKey, own, { checkServerIdentity }),
  };
}

// Place is where this side listens: in a folder, or on a port within a range.
export class Place {
  #count = 0;

  constructor(folder, ports) {
    this.folder = folder;
    this.ports = ports;
  }

  // listen makes server listen, and returns network and address.
  async listen(server, security) {
    const bind = (where) => promisify(server.bindAsync.bind(server))(where, security.forServers());
    if (!this.ports) {
      const address = path.join(this.folder, `socket${this.#count++}`);
      await bind(`unix:${address}`);
      return ['unix', address];
    }
    for (let port = this.ports[0]; port <= this.ports[1]; port++) {
      try {
        return ['tcp', `127.0.0.1:${await bind(`127.0.0.1:${port}`)}`];
      } catch {
        // somebody else has that port
      }
    }
    throw new Error(`no free port within ${this.ports}`);
  }
}

// callback is what both sides serve on brokered connections.
const callback = {
  Ask(request, answer) {
    answer(null, { value: `hello ${request.request.value}` });
  },
};

// Broker makes further connections between a host and its plugin, in either direction: plugin.GRPCBroker, without
// multiplexing. One side listens under a number of its own and announces it; the other dials what was announced.
export class Broker {
  #place;
  #security;
  #last = 0;
  #heard = new Map(); // number to announcement
  #waiting = new Map(); // number to who waits for it
  #servers = [];
  #stream = withResolvers();

  constructor(place, security) {
    this.#place = place;
    this.#security = security;
  }

  // attach takes the stream: of the call that a plugin serves, or that a host makes.
  attach(stream) {
    stream.on('data', (info) => {
      this.#heard.set(info.serviceId, info);
      this.#waiting.get(info.serviceId)?.();
    });
    stream.on('error', () => {}); // the other side, or this one, has ended
    stream.on('end', () => stream.end());
    this.#stream.resolve(stream);
  }

  // offer serves one more connection and returns its number, which the other side has to be told.
  async offer() {
    const server = new grpc.Server();
    server.addService(wire.Callback.service, callback);
    const [network, address] = await this.#place.listen(server, this.#security);
    this.#servers.push(server);
    const number = ++this.#last;
    (await this.#stream.promise).write({ serviceId: number, network, address });
    return number;
  }

  // ask calls what the other side accepts under number.
  async ask(number, who) {
    const { network, address } = await this.#announced(number);
    const client = new wire.Callback(target(network, address), this.#security.forClients(), OPTIONS);
    try {
      return (await call(client, 'Ask', { value: who }, PATIENCE)).value;
    } finally {
      client.close();
    }
  }

  #announced(number) {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`nothing was announced under ${number}`)), PATIENCE);
      const look = () => {
        if (this.#heard.has(number)) {
          clearTimeout(late);
          this.#waiting.delete(number);
          resolve(this.#heard.get(number));
        }
      };
      this.#waiting.set(number, look);
      look();
    });
  }

  close() {
    for (const server of this.#servers) {
      server.forceShutdown();
    }
    this.#stream.promise.then((stream) => stream.end());
  }
}

// withResolvers is a promise and how to keep it; Promise.withResolvers is younger than Node.js 18.
function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve) => { parts.resolve = resolve; });
  return parts;
}
