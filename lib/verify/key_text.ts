/**
 * Key bytes for people: what a difference is reported under.
 * @module
 */
import type { Buffer } from "node:buffer";
import { splitKey } from "../mysql/row_reader.ts";
import { lenencSize } from "../mysql/wire.ts";
import type { WireColumn } from "../schema/wire_layout.ts";

/** Charsets whose bytes below 0x80 are ASCII and nothing else; what lies above is not told apart here. */
const WIDE = new Set(["ucs2", "utf16", "utf16le", "utf32"]);
const UTF8 = new Set(["utf8", "utf8mb3", "utf8mb4"]);
/** Letters where bytes 0x20-0x7e may be something else. */
const NOT_ASCII = new Set(["swe7"]);

/** Column name to readable text, for a key's wire bytes. */
export function keyText(key: Buffer, columns: readonly WireColumn[]): Record<string, string> {
  const values = splitKey(key, columns);
  return Object.fromEntries(columns.map((c, i) => [c.column.name, valueText(values[i], c)]));
}

function valueText(b: Buffer, c: WireColumn): string {
  switch (c.column.dataType) {
    case "float":
      return String(b.readFloatLE(0));
    case "double":
      return String(b.readDoubleLE(0));
    case "date":
    case "datetime":
    case "timestamp":
      return momentText(b, c);
    case "time":
    case "decimal":
    case "uuid":
    case "inet4":
    case "inet6":
      return content(b).toString("latin1");
  }
  if (c.span === "lenenc") return stringText(content(b), c.column.charset);
  return integerText(b, c);
}

function content(b: Buffer): Buffer {
  return b.subarray(lenencSize(b[0]));
}

function integerText(b: Buffer, c: WireColumn): string {
  if (b.length === 8) return String(c.unsigned ? b.readBigUInt64LE(0) : b.readBigInt64LE(0));
  return String(c.unsigned ? b.readUIntLE(0, b.length) : b.readIntLE(0, b.length));
}

function stringText(b: Buffer, charset: string | null): string {
  if (charset !== null && !WIDE.has(charset) && !NOT_ASCII.has(charset)) {
    if (UTF8.has(charset) || b.every((byte) => byte < 0x80)) {
      try {
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(b);
      } catch {
        return hex(b);
      }
    }
  }
  return hex(b);
}

function hex(b: Buffer): string {
  return `0x${b.toString("hex").toUpperCase()}`;
}

/** `[length, year 2, month, day, hour, minute, second, microseconds 4]`, zeros at the end left out. */
function momentText(b: Buffer, c: WireColumn): string {
  const n = b[0];
  const date = n < 4 ? "0000-00-00" : `${pad(b.readUInt16LE(1), 4)}-${pad(b[3])}-${pad(b[4])}`;
  if (c.column.dataType === "date") return date;
  const time = n < 7 ? "00:00:00" : `${pad(b[5])}:${pad(b[6])}:${pad(b[7])}`;
  return `${date} ${time}${fractionText(n < 11 ? 0 : b.readUInt32LE(8), c.column.fraction ?? 0)}`;
}

function fractionText(microseconds: number, digits: number): string {
  return digits === 0 ? "" : "." + pad(microseconds, 6).slice(0, digits);
}

function pad(n: number, width = 2): string {
  return String(n).padStart(width, "0");
}
