/**
 * Writes into a table that holds rows of others too. Those are never overwritten nor deleted: a row in whose way one of
 * them stands is an error that names both.
 *
 * Rows wait in a temporary table with the key as its only index. From there, in the caller's transaction: our own rows
 * under the same keys go, then our own rows that hold one of the unique values (they leave our keys as well; their own
 * change brings them back, as with REPLACE, see I4), then everything is inserted. What is still in the way is not ours.
 * Every step may be run again, and is when the caller begins its transaction anew.
 *
 * `take` is asked while rows are sent to wait, some round trips before they are in the table. That is soon enough: a
 * chunk holds its table's gate from before the first of them until its commit (I3), so what is delivered in between is
 * flushed after it and wins. Only what was flushed before the gate was taken must be left out, and that is touched
 * already (I2). A chunk that `RowWriter` sends in several statements stands the same way.
 * @module
 */
import { Buffer } from "node:buffer";
import { errorNumber, FerryError } from "../errors.ts";
import type { TableName } from "../schema/create_table.ts";
import { tableLabel } from "../schema/table.ts";
import type { WireColumn, WireLayout } from "../schema/wire_layout.ts";
import { ownRowCondition } from "../state/own_keys.ts";
import { keyText } from "../verify/key_text.ts";
import { quoteName, quoteTable } from "./identifier.ts";
import { keyBytes, keyString, type RowList } from "./row_list.ts";
import { keyEnd, RowReader } from "./row_reader.ts";
import { RowWriter } from "./row_writer.ts";
import type { Session } from "./session.ts";
import type { TableWriter } from "./table_writer.ts";

/** Inserts of what waits. Past the first only where a row in the way went, or became ours, between two looks. */
const TRIES = 5;
/** Clashing keys that an error names. */
const NAMED = 3;
/** Duplicate value in a unique index. */
const DUPLICATE = 1062;

/** What merging needs to know of the target's table. */
export interface Merging {
  /** The table of this ferry's own keys. */
  readonly keys: TableName;
  /** Where rows wait: a temporary table. */
  readonly stage: TableName;
  /** Makes it. */
  readonly stageSql: string;
  /** The target's unique index over the key. */
  readonly keyIndex: string;
  /** The target's other unique indexes, of whole columns. */
  readonly uniques: readonly { readonly name: string; readonly columns: readonly string[] }[];
}

/** Writer of one merged table on one session. */
export class MergeWriter implements TableWriter {
  readonly #sql: MergeSql;
  readonly #stage: RowWriter;
  readonly #rows: RowWriter;
  readonly #keys: RowWriter;
  #stageIs: "missing" | "empty" | "used" = "missing";

  /** `layout`: the rows as the target's columns. `bulk`: a MariaDB target. */
  constructor(
    private readonly session: Session,
    private readonly target: TableName,
    layout: WireLayout,
    private readonly merging: Merging,
    bulk: boolean,
  ) {
    this.#sql = new MergeSql(target, layout, merging);
    this.#stage = new RowWriter(session, { ...merging.stage, bulk }, layout);
    this.#rows = new RowWriter(session, { ...target, bulk, removable: this.#sql.own }, layout);
    this.#keys = new RowWriter(session, { ...merging.keys, bulk }, layout);
  }

  /** Makes the table that rows wait in, or empties it: deleted rows would be passed over for long. */
  async prepare(): Promise<void> {
    if (this.#stageIs === "missing") {
      await keepStagesOutOfBinlog(this.session);
      await defineTable(this.session, this.merging.stageSql);
      // This session may have made it for an earlier writer.
      this.#stageIs = "used";
    }
    if (this.#stageIs === "empty") return;
    await this.session.run(this.#sql.truncate);
    this.#stageIs = "empty";
  }

  async replace(rows: RowList, take: ((index: number) => boolean) | null): Promise<number> {
    if (rows.count === 0) return 0;
    // Inside the transaction a TRUNCATE would commit it.
    if (this.#stageIs !== "empty") await this.session.run(this.#sql.clear);
    this.#stageIs = "used";
    const staged = await this.#stage.replace(rows, take);
    if (staged === 0) return 0;
    for (let attempt = 1;; attempt++) {
      for (const sql of this.#sql.makeWay) await this.session.run(sql);
      try {
        const { warnings } = await this.session.run(this.#sql.insert);
        if (warnings > 0) throw await this.#warned();
        break;
      } catch (e) {
        if (errorNumber(e) !== DUPLICATE) throw e;
        await this.#explain(e, attempt === TRIES);
      }
    }
    await this.session.run(this.#sql.claim);
    return staged;
  }

  /** Only what is ours goes; last it is no longer ours. */
  async remove(keys: RowList): Promise<void> {
    await this.#rows.remove(keys);
    await this.#keys.remove(keys);
  }

  release(): void {
    for (const writer of [this.#stage, this.#rows, this.#keys]) writer.release();
  }

  /** Throws `merge-clash` where a row of somebody else, or of the source itself, is in the way; else it may be tried again. */
  async #explain(cause: unknown, last: boolean): Promise<void> {
    const table = tableLabel(this.target);
    for (const { index, sql } of this.#sql.clashes) {
      const keys = await this.#read(sql);
      if (keys.length === 0) continue;
      throw new FerryError(
        "merge-clash",
        `Cannot merge into table "${table}": somebody else has a row there with the same ${
          index === null ? "key" : `value in unique index "${index}"`
        } as the source's row ${keys.join(" and ")}`,
        { hint: "Change or remove one of the two rows, then retry", cause },
      );
    }
    for (const { index, sql } of this.#sql.doubles) {
      const keys = await this.#read(sql);
      if (keys.length === 0) continue;
      throw new FerryError(
        "merge-clash",
        `Cannot merge into table "${table}": unique index "${index}" there takes only one of several rows of the ` +
          `source, ${keys.join(" and ")} among them`,
        { hint: "The target's index is narrower than the source's; drop it, or change the rows", cause },
      );
    }
    if (last) {
      throw new FerryError(
        "merge-busy",
        `Cannot merge into table "${table}": unique values there change too fast`,
        { retryable: true, cause },
      );
    }
  }

  /** Keys for people, `id=5` or `(a=1, b=2)`. */
  async #read(sql: string): Promise<string[]> {
    const key = this.#sql.key;
    const nullBytes = (key.length + 9) >> 3;
    const found: string[] = [];
    await new RowReader(this.session, sql, key, [], false).read([], 0, (b, start) => {
      const bytes = keyBytes(keyString(b, start + nullBytes, keyEnd(b, start, nullBytes, key)));
      const parts = Object.entries(keyText(bytes, key)).map(([name, value]) => `${name}=${value}`);
      found.push(parts.length === 1 ? parts[0] : `(${parts.join(", ")})`);
    });
    return found;
  }

  async #warned(): Promise<FerryError> {
    const warning = await this.session.one("SHOW WARNINGS");
    return new FerryError(
      "write-warning",
      `Cannot write table "${tableLabel(this.target)}": ${warning?.Message}`,
      { hint: "The target would hold another value than the source; compare both definitions" },
    );
  }
}

/** The statements of one merged table. Without aliases: a DELETE of several tables would look for those in the session's schema. */
export class MergeSql {
  /** The key's columns. */
  readonly key: readonly WireColumn[];
  /** Holds for our own rows. */
  readonly own: string;
  /** Empties the waiting table, inside a transaction. */
  readonly clear: string;
  /** Empties it outside of one, and leaves no trace of what was in there. */
  readonly truncate: string;
  /** Takes our own rows out of the way of those that wait. */
  readonly makeWay: readonly string[];
  /** Inserts what waits. */
  readonly insert: string;
  /** Makes the keys of what waits our own. */
  readonly claim: string;
  /** Keys that wait and clash with a row that is not ours, by index; `null` is the key. */
  readonly clashes: readonly { readonly index: string | null; readonly sql: string }[];
  /** Keys that wait and clash with one another, by index. */
  readonly doubles: readonly { readonly index: string; readonly sql: string }[];

  /** For rows of this layout. */
  constructor(target: TableName, layout: WireLayout, { keys, stage, keyIndex, uniques }: Merging) {
    this.key = layout.columns.slice(0, layout.keyColumns);
    const names = this.key.map((c) => c.column.name);
    const list = (columns: readonly string[]) => columns.map(quoteName).join(", ");
    const same = (a: string, b: string, columns: readonly string[]) =>
      columns.map((name) => `${a}.${quoteName(name)} = ${b}.${quoteName(name)}`).join(" AND ");
    const [w, o, t] = [stage, keys, target].map(quoteTable);
    const by = (index: string) => `${t} FORCE INDEX (${quoteName(index)})`;
    const columns = list(layout.columns.map((c) => c.column.name));
    this.own = ownRowCondition(keys, target, names);
    this.clear = `DELETE FROM ${w}`;
    this.truncate = `TRUNCATE TABLE ${w}`;
    // STRAIGHT_JOIN: from the few rows that wait, by index, whatever the statistics say.
    this.makeWay = [
      `DELETE ${t} FROM ${w} STRAIGHT_JOIN ${o} ON ${same(o, w, names)} ` +
      `STRAIGHT_JOIN ${by(keyIndex)} ON ${same(t, w, names)}`,
      ...uniques.map((u) =>
        `DELETE ${t}, ${o} FROM ${w} STRAIGHT_JOIN ${by(u.name)} ON ${same(t, w, u.columns)} ` +
        `STRAIGHT_JOIN ${o} ON ${same(o, t, names)}`
      ),
    ];
    this.insert = `INSERT INTO ${t} (${columns}) SELECT ${columns} FROM ${w}`;
    // Not IGNORE, which would hide every other error too.
    const first = `${o}.${quoteName(names[0])}`;
    this.claim = `INSERT INTO ${o} (${list(names)}) SELECT ${list(names)} FROM ${w} ` +
      `ON DUPLICATE KEY UPDATE ${quoteName(names[0])} = ${first}`;
    const selected = this.key.map((c) => qualified(c, w)).join(", ");
    const others = (index: string, columns: readonly string[]) =>
      `SELECT ${selected} FROM ${w} STRAIGHT_JOIN ${by(index)} ON ${same(t, w, columns)} ` +
      `LEFT JOIN ${o} ON ${same(o, t, names)} WHERE ${first} IS NULL LIMIT ${NAMED}`;
    this.clashes = [
      { index: null, sql: others(keyIndex, names) },
      ...uniques.map((u) => ({ index: u.name, sql: others(u.name, u.columns) })),
    ];
    // One row of each group, whichever: the session's sql_mode is without ONLY_FULL_GROUP_BY.
    this.doubles = uniques.map((u) => ({
      index: u.name,
      sql: `SELECT ${this.key.map((c) => c.select).join(", ")} FROM ${w} WHERE ${
        u.columns.map((name) => `${quoteName(name)} IS NOT NULL`).join(" AND ")
      } GROUP BY ${list(u.columns)} HAVING COUNT(*) > 1 LIMIT ${NAMED}`,
    }));
  }
}

/** What stands in a SELECT list for a column of this table. */
function qualified(c: WireColumn, table: string): string {
  const name = quoteName(c.column.name);
  return c.select.replace(name, () => `${table}.${name}`);
}

/** Logged as statements, what waits would reach the binlog, and replicas with it; as rows it does not. Throws 1227 where it may not. */
export async function keepStagesOutOfBinlog(session: Session): Promise<void> {
  const rows = await session.query("SHOW VARIABLES WHERE Variable_name IN ('log_bin', 'binlog_format')");
  const settings = new Map(rows.map((r) => [String(r.Variable_name).toLowerCase(), String(r.Value)]));
  if (settings.get("log_bin") !== "ON" || (settings.get("binlog_format") ?? "ROW") === "ROW") return;
  await session.run("SET SESSION binlog_format = 'ROW'");
}

/**
 * DDL on a data session. It holds texts, labels of ENUMs for one, which a BINARY connection would take for bytes; so it is
 * sent as hex digits, and read by the server as UTF-8. (The driver encodes by what SET NAMES says, if the server tells it.)
 */
async function defineTable(session: Session, sql: string): Promise<void> {
  await session.run(`SET @chainferry_ddl = _utf8mb4 x'${Buffer.from(sql, "utf8").toString("hex")}'`);
  await session.run("SET NAMES utf8mb4");
  try {
    await session.run("PREPARE chainferry_ddl FROM @chainferry_ddl");
    await session.run("EXECUTE chainferry_ddl");
    await session.run("DEALLOCATE PREPARE chainferry_ddl");
  } finally {
    if (session.usable) await session.run("SET NAMES binary");
  }
}
