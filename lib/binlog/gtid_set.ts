/**
 * Which transactions of a source are behind a position, by their global ids.
 * MySQL: sets of numbers per source and tag (`uuid:1-5:7,uuid:tag:1-3`). MariaDB: the last number per domain (`0-1-10`).
 * @module
 */
import { FerryError } from "../errors.ts";

/** What both families offer: take transactions in, one at a time, and say what was taken. */
export interface ExecutedGtids {
  /** Takes one transaction in: `uuid:n`, `uuid:tag:n` or `domain-server-n`. */
  addText(gtid: string): void;
  /** The server's own notation, which it also accepts. */
  toString(): string;
}

/** The set that a text of either family says: MySQL's always holds a colon, MariaDB's never does. */
export function parseExecutedGtids(text: string, family: "mysql" | "mariadb"): ExecutedGtids {
  return family === "mariadb" ? MariadbGtidPosition.parse(text) : GtidSet.parse(text);
}

/** First and last number of a run, both inside. */
type Interval = [first: number, last: number];

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;

/** A MySQL GTID set. Sources and tags in lower case; intervals sorted and joined. */
export class GtidSet implements ExecutedGtids {
  /** `uuid` or `uuid:tag` → its intervals. */
  readonly #sources = new Map<string, Interval[]>();

  /** Reads the server's notation; white space is free, as in `@@gtid_executed`. */
  static parse(text: string): GtidSet {
    const set = new GtidSet();
    for (const block of text.toLowerCase().replace(/\s/g, "").split(",")) {
      if (block === "") continue;
      const [uuid, ...items] = block.split(":");
      if (!UUID.test(uuid) || items.length === 0) throw invalid(text);
      let source = dashed(uuid);
      for (const item of items) {
        if (TAG.test(item)) {
          source = `${dashed(uuid)}:${item}`;
          continue;
        }
        const [first, last, more] = item.split("-").map(Number);
        if (more !== undefined || !isNumber(first) || (last !== undefined && !isNumber(last))) {
          throw invalid(text);
        }
        // The server reads a run whose end is before its start as empty.
        if (last === undefined || last >= first) set.#take(source, first, last ?? first);
      }
    }
    return set;
  }

  /** Takes one transaction in. `source` is a uuid or `uuid:tag`, lower case. */
  add(source: string, number: number): void {
    this.#take(source, number, number);
  }

  /** Takes `uuid:n` or `uuid:tag:n` in. */
  addText(gtid: string): void {
    const at = gtid.lastIndexOf(":");
    const number = Number(gtid.slice(at + 1));
    if (at < 0 || !isNumber(number)) throw invalid(gtid);
    this.#take(gtid.slice(0, at), number, number);
  }

  /** Whether the transaction is in the set. */
  contains(source: string, number: number): boolean {
    const intervals = this.#sources.get(source);
    if (!intervals) return false;
    const i = behind(intervals, number);
    return i > 0 && intervals[i - 1][1] >= number;
  }

  /** The server's notation, sources and tags in order. */
  toString(): string {
    const blocks = new Map<string, string>();
    for (const source of [...this.#sources.keys()].sort()) {
      const [uuid, tag] = source.split(":");
      const runs = this.#sources.get(source)!.map(([a, b]) => a === b ? `${a}` : `${a}-${b}`).join(":");
      blocks.set(uuid, `${blocks.get(uuid) ?? uuid}${tag ? `:${tag}` : ""}:${runs}`);
    }
    return [...blocks.values()].join(",");
  }

  #take(source: string, first: number, last: number): void {
    const intervals = this.#sources.get(source);
    if (!intervals) {
      this.#sources.set(source, [[first, last]]);
      return;
    }
    let from = behind(intervals, first);
    if (from > 0 && intervals[from - 1][1] >= first - 1) from--;
    let to = from;
    while (to < intervals.length && intervals[to][0] <= last + 1) {
      first = Math.min(first, intervals[to][0]);
      last = Math.max(last, intervals[to][1]);
      to++;
    }
    // Nearly always the last run grows by one: no splice then.
    if (to === from + 1) {
      intervals[from][0] = first;
      intervals[from][1] = last;
    } else intervals.splice(from, to - from, [first, last]);
  }
}

/** A MariaDB GTID position: the last transaction of each replication domain. */
export class MariadbGtidPosition implements ExecutedGtids {
  readonly #domains = new Map<number, string>();

  /** Reads `0-1-10,1-2-5`. */
  static parse(text: string): MariadbGtidPosition {
    const position = new MariadbGtidPosition();
    for (const gtid of text.replace(/\s/g, "").split(",")) if (gtid !== "") position.addText(gtid);
    return position;
  }

  /** Takes `domain-server-number` as the last of its domain. */
  addText(gtid: string): void {
    if (!/^\d+-\d+-\d+$/.test(gtid)) throw invalid(gtid);
    this.#domains.set(Number(gtid.slice(0, gtid.indexOf("-"))), gtid);
  }

  /** The server's notation, domains in order. */
  toString(): string {
    return [...this.#domains].sort((a, b) => a[0] - b[0]).map(([, gtid]) => gtid).join(",");
  }
}

/** Index of the first interval that begins behind `number`. */
function behind(intervals: readonly Interval[], number: number): number {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (intervals[middle][0] > number) high = middle;
    else low = middle + 1;
  }
  return low;
}

function isNumber(n: number): boolean {
  return Number.isSafeInteger(n) && n > 0;
}

function dashed(uuid: string): string {
  const hex = uuid.replaceAll("-", "");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function invalid(text: string): FerryError {
  return new FerryError("gtid-invalid", `Cannot read GTIDs "${text}": not the server's notation`);
}
