/**
 * The global id that opens a transaction, in its four layouts.
 * Source: MySQL, control_events.h (Gtid_event) and libs/mysql/serialization; MariaDB, Gtid_log_event.
 * @module
 */
import type { Buffer } from "node:buffer";
import { FerryError } from "../errors.ts";
import { eventServerId, HEADER_LENGTH } from "./event_header.ts";

/** `uuid:n` of a GTID event's body (type 33) at `o`. */
export function mysqlGtid(b: Buffer, o: number): string {
  return `${uuidText(b, o + 1)}:${b.readBigUInt64LE(o + 17)}`;
}

/** Fields of the tagged layout, by their id. */
const FLAGS = 0n, SOURCE = 1n, NUMBER = 2n, TAG = 3n;
/** The highest field that a reader of this layout must know, plus 1. */
const KNOWN_FIELDS = 12n;

/** `uuid:tag:n` of a GTID_TAGGED event's body (type 42): a message of numbered fields in ascending order. */
export function mysqlTaggedGtid(b: Buffer, o: number, end: number): string {
  const at = { o };
  const version = varint(b, at, end);
  if (version !== 1n) throw malformed(`serialization version ${version}`);
  varint(b, at, end); // size of the message
  const required = varint(b, at, end);
  if (required > KNOWN_FIELDS) throw malformed(`field ${required - 1n} is required`);
  let uuid = "", tag = "", number = 0n;
  while (at.o < end) {
    const field = varint(b, at, end);
    if (field === FLAGS) varint(b, at, end);
    else if (field === SOURCE) {
      const bytes = Array.from({ length: 16 }, () => Number(varint(b, at, end)));
      uuid = dashed(bytes.map((x) => x.toString(16).padStart(2, "0")).join(""));
    } else if (field === NUMBER) {
      const zigzag = varint(b, at, end);
      number = zigzag >> 1n;
    } else if (field === TAG) {
      const length = Number(varint(b, at, end));
      if (at.o + length > end) throw malformed("the tag is cut off");
      tag = b.toString("latin1", at.o, at.o + length);
      at.o += length;
    } else break; // clocks and sizes
  }
  if (uuid === "" || number <= 0n) throw malformed("no source or number");
  return tag === "" ? `${uuid}:${number}` : `${uuid}:${tag}:${number}`;
}

/** The number of bytes is one more than the first byte's trailing 1 bits; the remaining bits are little endian. */
function varint(b: Buffer, at: { o: number }, end: number): bigint {
  const first = b[at.o];
  let more = 0;
  while (more < 8 && (first >> more) & 1) more++;
  if (at.o + more >= end) throw malformed("it is cut off");
  let rest = 0n;
  for (let i = more; i > 0; i--) rest = (rest << 8n) | BigInt(b[at.o + i]);
  at.o += 1 + more;
  return more === 8 ? rest : BigInt(first >> (more + 1)) | (rest << BigInt(7 - more));
}

/** A MariaDB GTID event: the id, and what comes behind it. */
export interface MariadbGtid {
  /** `domain-server-number`. */
  readonly gtid: string;
  /** The next query event is a transaction of its own (DDL); otherwise this event is a BEGIN. */
  readonly standalone: boolean;
}

/** Reads a MariaDB GTID event (type 162) whose header is at `o`. */
export function mariadbGtid(b: Buffer, o: number): MariadbGtid {
  const body = o + HEADER_LENGTH;
  const number = b.readBigUInt64LE(body);
  return {
    gtid: `${b.readUInt32LE(body + 8)}-${eventServerId(b, o)}-${number}`,
    standalone: (b[body + 12] & 1) !== 0,
  };
}

/** A uuid of 16 bytes, dashed and in lower case. */
export function uuidText(b: Buffer, o: number): string {
  return dashed(b.toString("hex", o, o + 16));
}

function dashed(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function malformed(state: string): FerryError {
  return new FerryError("event-decode", `Cannot read a tagged GTID event: ${state}`);
}
