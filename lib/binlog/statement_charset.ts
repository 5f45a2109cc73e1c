/**
 * The character set of a statement's text. A server logs DDL as the client sent it, and beside it the client's set.
 * Source: MySQL, log_event.cc (Query_log_event::write) for the order of the status variables; the ids are those of
 * `information_schema.COLLATIONS`; https://encoding.spec.whatwg.org for the names.
 * @module
 */
import { type Buffer, isAscii, isUtf8 } from "node:buffer";

/** Collations of the sets that the platform can read, by the name that it has for them. */
const ENCODINGS: readonly [string, readonly number[]][] = [
  ["utf-8", [11, 33, 45, 46, 63, 65, 76, 83]], // ASCII and binary too: the server takes their bytes as they are
  ["big5", [1, 84]],
  ["euc-jp", [12, 91, 97, 98]],
  ["euc-kr", [19, 85]],
  ["gb18030", [24, 28, 86, 87, 248, 249, 250]], // holds gb2312 and gbk
  ["ibm866", [36, 68]],
  ["iso-8859-2", [2, 9, 21, 27, 77]],
  ["iso-8859-7", [25, 70]],
  ["iso-8859-8", [16, 71]],
  ["iso-8859-13", [20, 41, 42, 79]],
  ["koi8-r", [7, 74]],
  ["koi8-u", [22, 75]],
  ["macintosh", [39, 53]],
  ["shift_jis", [13, 88, 95, 96]],
  ["windows-874", [18, 89]],
  ["windows-1250", [26, 34, 44, 66, 99]],
  ["windows-1251", [14, 23, 50, 51, 52]],
  ["windows-1252", [5, 8, 15, 31, 47, 48, 49, 94]], // what MySQL calls latin1
  ["windows-1254", [30, 78]],
  ["windows-1256", [57, 67]],
  ["windows-1257", [29, 58, 59]],
];
const BY_COLLATION = new Map(ENCODINGS.flatMap(([name, ids]) => ids.map((id) => [id, name] as const)));

/** The platform's name of a client's character set, `null` where it has none. */
export function encodingOf(collation: number): string | null {
  // MariaDB's NO PAD collations stand 1024 behind those that they are made of.
  const id = collation >= 1024 && collation < 2048 ? collation - 1024 : collation;
  // From 192 on all are Unicode's but the three named above, and clients may speak none of that but UTF-8.
  return BY_COLLATION.get(id) ?? (id >= 192 ? "utf-8" : null);
}

/** Bytes of the status variables that stand before the client's character set, by their code. */
const SIZES: readonly (number | undefined)[] = [4, 8, undefined, 4];
const CHARSET = 4, CATALOG_WITH_ZERO = 2, CATALOG = 6;

/** The client's collation by the status variables `b[o, end)` of a QUERY event, `null` where they don't say. */
export function clientCollation(b: Buffer, o: number, end: number): number | null {
  while (o < end) {
    const code = b[o++];
    if (code === CHARSET) return b.readUInt16LE(o);
    const size = code === CATALOG ? 1 + b[o] : code === CATALOG_WITH_ZERO ? 2 + b[o] : SIZES[code];
    if (size === undefined) return null;
    o += size;
  }
  return null;
}

/**
 * Every text that a statement's bytes may stand for; nearly always one. A letter that nobody here can read is U+FFFD.
 * Enforced by: `ddl_test.ts` (`TRUNCATE … from a client that speaks latin1`).
 */
export function readings(bytes: Buffer, collation: number | null): readonly string[] {
  if (isAscii(bytes)) return [bytes.toString("latin1")];
  const encoding = collation === null ? "utf-8" : encodingOf(collation);
  if (encoding === "utf-8") return [bytes.toString("utf8")];
  const text = encoding === null
    ? bytes.toString("latin1").replace(/[\x80-\xff]/g, "\ufffd")
    : new TextDecoder(encoding).decode(bytes);
  const found = [text];
  // Between words it is a space there, and in UTF-8 a letter.
  if (text.includes("\u00a0")) found.push(text.replaceAll("\u00a0", " "));
  // Both servers word a DROP TABLE anew, and do it in the client's set; of others this is not known, and names are UTF-8
  // to a server.
  if (isUtf8(bytes)) found.push(bytes.toString("utf8"));
  return found;
}
