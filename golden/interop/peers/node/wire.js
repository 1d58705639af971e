// What a host and its plugin say to each other: the handshake line, the environment, and the services.

import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

// What this contract's hosts and plugins agree on.
export const COOKIE_KEY = 'INTEROP_MAGIC_COOKIE';
export const COOKIE_VALUE = '8f0a2d1c';
export const VERSIONS = [2, 3];

const CORE_VERSION = 1;
const MIN_CERTIFICATE = 51; // characters; old plugins put other things into the certificate's field

const protos = fileURLToPath(new URL('../proto', import.meta.url));
const loaded = grpc.loadPackageDefinition(
  loadSync(['interop.proto', 'plugin.proto', 'health.proto'], { includeDirs: [protos], defaults: true }),
);

export const Peer = loaded.interop.Peer;
export const Callback = loaded.interop.Callback;
export const Controller = loaded.plugin.GRPCController;
export const Stdio = loaded.plugin.GRPCStdio;
export const Broker = loaded.plugin.GRPCBroker;
export const Health = loaded.grpc.health.v1.Health;
export const SERVING = 1; // HealthCheckResponse.ServingStatus
export const STDOUT = 1; // StdioData.Channel

// formatLine returns the handshake line, which a plugin prints first of all. The certificate is DER, or empty.
export function formatLine(version, network, address, certificate = Buffer.alloc(0)) {
  const encoded = certificate.toString('base64').replace(/=+$/, '');
  return `${CORE_VERSION}|${version}|${network}|${address}|grpc|${encoded}\n`;
}

// parseLine returns what a handshake line says; undefined if it is another line.
export function parseLine(line) {
  const fields = line.trim().split('|');
  const [core, version, network, address, protocol, encoded] = fields;
  const isHandshake = (fields.length === 6 || fields.length === 7) && core === String(CORE_VERSION) &&
    /^\d+$/.test(version) && ['unix', 'tcp'].includes(network) && address !== '' && protocol === 'grpc';
  if (!isHandshake) {
    return undefined;
  }
  return {
    version: Number(version),
    network,
    address,
    certificate: encoded.length >= MIN_CERTIFICATE ? Buffer.from(encoded, 'base64') : undefined,
  };
}

// negotiate returns the highest version in common, else the lowest served: then the host is the one to object.
export function negotiate(served, offered) {
  const common = served.filter((version) => offered.includes(version));
  return common.length > 0 ? Math.max(...common) : Math.min(...served);
}

// take returns a variable that the host set, and unsets it: it is not for programs that this one starts.
export function take(name) {
  const value = process.env[name] ?? '';
  delete process.env[name];
  return value;
}
