// One-time certificates: each side makes one when it starts, and takes only the one that the other side announced.
// Node.js reads certificates but makes none, so this writes one, in ASN.1's DER.

import crypto from 'node:crypto';

const DAY = 24 * 60 * 60 * 1000;

// tlv is one value: its tag, its length, and its content.
function tlv(tag, ...parts) {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts) => tlv(0x30, ...parts);
const oid = (hex) => tlv(0x06, Buffer.from(hex, 'hex'));
const TRUE = tlv(0x01, [0xff]);
const extension = (id, value, ...critical) => sequence(oid(id), ...critical, tlv(0x04, value));

// time is the date as YYMMDDHHMMSSZ.
const time = (date) => tlv(0x17, date.toISOString().replace(/[-:T]|\.\d+/g, '').slice(2));

function extensions() {
  return tlv(0xa3, sequence(
    extension('551d13', sequence(TRUE), TRUE), // basic constraints: a CA, because peers take it as their root
    extension('551d0f', tlv(0x03, [2, 0b10101100]), TRUE), // key usage: signature, encipherment, agreement, certificates
    extension('551d25', sequence(oid('2b06010505070301'), oid('2b06010505070302'))), // for servers, for clients
    extension('551d11', sequence( // names: localhost, 127.0.0.1, ::1
      tlv(0x82, 'localhost'), tlv(0x87, [127, 0, 0, 1]), tlv(0x87, [...Array(15).fill(0), 1]),
    )),
  ));
}

// make returns a new key (PEM) and its certificate (DER): P-256, because peers with BoringSSL refuse P-521.
export function make(now = Date.now()) {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSHA256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, 'localhost'))));
  const signed = sequence(
    tlv(0xa0, tlv(0x02, [2])), // X.509 version 3
    tlv(0x02, [1], crypto.randomBytes(15)), // serial number, positive
    ecdsaWithSHA256,
    name,
    sequence(time(new Date(now - DAY)), time(new Date(now + 365 * DAY))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions(),
  );
  const signature = crypto.sign('sha256', signed, privateKey);
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificate: sequence(signed, ecdsaWithSHA256, tlv(0x03, [0], signature)),
  };
}

// toPEM returns a certificate as TLS libraries take it.
export const toPEM = (der) => new crypto.X509Certificate(der).toString();
