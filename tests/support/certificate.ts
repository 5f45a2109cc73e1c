/**
 * A TLS certificate for a name, signed by itself and made when it is needed: one that lay here would run out one day.
 * @module
 */

/** Both as PEM. */
export interface Certificate {
  /** The certificate, which is also what has to be trusted. */
  readonly cert: string;
  /** Its private key, PKCS #8. */
  readonly key: string;
}

const SEQUENCE = 0x30, SET = 0x31, OID = 0x06, INTEGER = 0x02, BIT_STRING = 0x03, OCTET_STRING = 0x04;
const UTF8 = 0x0c, UTC_TIME = 0x17, EXPLICIT_0 = 0xa0, EXPLICIT_3 = 0xa3, DNS_NAME = 0x82;

const COMMON_NAME = der(OID, [0x55, 4, 3]);
const ALT_NAME = der(OID, [0x55, 0x1d, 17]);
const ECDSA_SHA256 = der(SEQUENCE, der(OID, [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]));

/** Makes one that holds from an hour ago for a day. RFC 5280, section 4.1. */
export async function certificateFor(name: string): Promise<Certificate> {
  const curve = { name: "ECDSA", namedCurve: "P-256" };
  const { privateKey, publicKey } = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
  const who = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, letters(name)))));
  const names = der(SEQUENCE, der(DNS_NAME, letters(name)));
  const body = der(
    SEQUENCE,
    der(EXPLICIT_0, der(INTEGER, [2])), // version 3
    der(INTEGER, [1]),
    ECDSA_SHA256,
    who,
    der(SEQUENCE, time(-1), time(23)),
    who,
    [...new Uint8Array(await crypto.subtle.exportKey("spki", publicKey))],
    der(EXPLICIT_3, der(SEQUENCE, der(SEQUENCE, ALT_NAME, der(OCTET_STRING, names)))),
  );
  const how = { name: "ECDSA", hash: "SHA-256" };
  const signed = new Uint8Array(await crypto.subtle.sign(how, privateKey, Uint8Array.from(body)));
  const signature = der(SEQUENCE, positive(signed.subarray(0, 32)), positive(signed.subarray(32)));
  return {
    cert: pem("CERTIFICATE", der(SEQUENCE, body, ECDSA_SHA256, der(BIT_STRING, [0], signature))),
    key: pem("PRIVATE KEY", [...new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey))]),
  };
}

function der(tag: number, ...parts: readonly (readonly number[])[]): number[] {
  const content = parts.flat();
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return [tag, ...size, ...content];
}

function positive(bytes: Uint8Array): number[] {
  const first = bytes.findIndex((byte) => byte !== 0);
  const needed = [...bytes.subarray(first)];
  return der(INTEGER, needed[0] < 0x80 ? needed : [0, ...needed]);
}

function time(hours: number): number[] {
  const text = new Date(Date.now() + hours * 3_600_000).toISOString();
  return der(UTC_TIME, letters(text.replace(/^20|[-T:]|\.\d+/g, "")));
}

function letters(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

function pem(label: string, bytes: readonly number[]): string {
  const lines = Uint8Array.from(bytes).toBase64().match(/.{1,64}/g)!;
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
