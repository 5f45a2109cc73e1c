/**
 * MariaDB's UUID, INET4 and INET6: packed in an image, text in a wire row.
 * Source: MariaDB, sql_type_uuid.h, sql_type_inet.cc (Inet6::to_string).
 * @module
 */
import { Buffer } from "node:buffer";
import type { Arena } from "../mysql/arena.ts";

/** Most bytes that any of these writes, length included. */
export const ADDRESS_ROOM = 48;

const HEX = Buffer.from("0123456789abcdef", "latin1");

/** Bytes that an image cut off are zeros; this holds the whole value. */
const whole = Buffer.alloc(16);

function restore(b: Buffer, o: number, length: number, size: number): void {
  for (let i = 0; i < size; i++) whole[i] = i < length ? b[o + i] : 0;
}

/** UUID: 36 characters of `length` packed bytes. */
export function putUuid(b: Buffer, o: number, length: number, out: Arena): void {
  restore(b, o, length, 16);
  const to = out.bytes;
  let p = out.end;
  to[p++] = 36;
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) to[p++] = 45;
    to[p++] = HEX[whole[i] >> 4];
    to[p++] = HEX[whole[i] & 15];
  }
  out.end = p;
}

/** INET4: dotted. */
export function putInet4(b: Buffer, o: number, length: number, out: Arena): void {
  restore(b, o, length, 4);
  putText(dotted(0), out);
}

/** INET6 as this server shortens it: the first longest run of zero groups, even a single one, becomes `::`. */
export function putInet6(b: Buffer, o: number, length: number, out: Arena): void {
  restore(b, o, length, 16);
  let gap = -1;
  let gapLength = 0;
  for (let i = 0, run = 0; i < 8; i++) {
    run = whole[2 * i] === 0 && whole[2 * i + 1] === 0 ? run + 1 : 0;
    if (run > gapLength) {
      gapLength = run;
      gap = i - run + 1;
    }
  }
  let text = "";
  for (let i = 0; i < 8; i++) {
    if (i === gap) {
      text += i === 0 ? "::" : ":";
      i += gapLength - 1;
    } else if (
      i === 6 && gap === 0 && (gapLength === 6 || (gapLength === 5 && whole[10] === 255 && whole[11] === 255))
    ) {
      text += dotted(12); // an IPv4 address in IPv6's clothes
      break;
    } else {
      text += ((whole[2 * i] << 8) | whole[2 * i + 1]).toString(16);
      if (i < 7) text += ":";
    }
  }
  putText(text, out);
}

function dotted(o: number): string {
  return `${whole[o]}.${whole[o + 1]}.${whole[o + 2]}.${whole[o + 3]}`;
}

function putText(text: string, out: Arena): void {
  const to = out.bytes;
  let p = out.end;
  to[p++] = text.length;
  for (let i = 0; i < text.length; i++) to[p++] = text.charCodeAt(i);
  out.end = p;
}
