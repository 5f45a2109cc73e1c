/**
 * Row images under a table's filter (I6): the source's server judges them, as it judges the rows that are copied. They are
 * inserted into a temporary table of the same columns, and those for which the filter does not hold become deletes.
 * @module
 */
import type { FerriedTable } from "../copy/ferried_table.ts";
import { ownCondition } from "../copy/row_condition.ts";
import { errorNumber, errorText, FerryError } from "../errors.ts";
import { quoteName, quoteTable } from "../mysql/identifier.ts";
import { keyString } from "../mysql/row_list.ts";
import { keyEnd, RowReader } from "../mysql/row_reader.ts";
import { RowWriter } from "../mysql/row_writer.ts";
import type { Session } from "../mysql/session.ts";
import { makeImageTable } from "../schema/image_table.ts";
import { tableLabel } from "../schema/table.ts";
import type { PendingChanges } from "./pending_changes.ts";

/** Seconds that its session may be idle: days without a change are nothing out of the way. */
const IDLE_SECONDS = 2_147_483;

/** The statement was ended, whatever it said: 1317 interrupted · 1969 and 3024 took too long. */
const PASSING = new Set([1317, 1969, 3024]);

/** Judges the images of all filtered tables, one batch at a time. */
export class ImageFilter {
  #session: Session | null = null;
  readonly #judges = new Map<FerriedTable, ImageJudge>();

  /** `open` gives a data session on the source; `bulk`: the source is a MariaDB. */
  constructor(private readonly open: () => Promise<Session>, private readonly bulk: boolean) {}

  /** Turns the images that the filter does not hold for into deletes of their key. */
  async judge(changes: ReadonlyMap<FerriedTable, PendingChanges>): Promise<void> {
    for (const [table, pending] of changes) {
      if (table.where === null) continue;
      await (await this.#judge(table)).judge(pending);
    }
  }

  async #judge(table: FerriedTable): Promise<ImageJudge> {
    if (this.#session === null || !this.#session.usable) {
      // The temporary tables went with their connection.
      this.#judges.clear();
      this.#session = await this.open();
      await this.#session.run(`SET SESSION wait_timeout=${IDLE_SECONDS}`);
    }
    let judge = this.#judges.get(table);
    if (judge === undefined) {
      judge = await ImageJudge.open(this.#session, table, this.bulk);
      this.#judges.set(table, judge);
    }
    return judge;
  }
}

/** One table's temporary table. */
class ImageJudge {
  readonly #writer: RowWriter;
  readonly #misses: RowReader;
  readonly #nullBytes: number;

  private constructor(
    private readonly session: Session,
    private readonly table: FerriedTable,
    private readonly place: { readonly schema: string; readonly name: string },
    bulk: boolean,
  ) {
    const { key, layout, table: { name } } = table;
    this.#nullBytes = (key.length + 9) >> 3;
    this.#writer = new RowWriter(session, { ...place, bulk }, layout);
    // Under the table's own name, by which the filter may call it.
    const sql =
      `SELECT ${key.map((c) => c.select).join(",")} FROM ${quoteTable(place)} AS ${quoteName(name)} ` +
      `WHERE ${ownCondition(table)} IS NOT TRUE`;
    this.#misses = new RowReader(session, sql, key, [], false);
  }

  static async open(session: Session, table: FerriedTable, bulk: boolean): Promise<ImageJudge> {
    const place = { schema: table.table.schema, name: `_ferry_images_${table.index}` };
    const row = await session.one(`SHOW CREATE TABLE ${quoteTable(table.table)}`);
    await makeImageTable(session, String(row!["Create Table"]), place);
    return new ImageJudge(session, table, place, bulk);
  }

  async judge(pending: PendingChanges): Promise<void> {
    const { key } = this.table;
    const rows = pending.rows();
    if (rows.count === 0) return;
    await this.session.run(`DELETE FROM ${quoteTable(this.place)}`);
    await this.#writer.replace(rows, null);
    const misses: string[] = [];
    try {
      await this.#misses.read([], 0, (b, start) => {
        const end = keyEnd(b, start, this.#nullBytes, key);
        misses.push(keyString(b, start + this.#nullBytes, end));
      });
    } catch (e) {
      throw this.#notJudged(e);
    }
    for (const miss of misses) {
      if (!pending.holds(miss)) throw this.#failed("a row comes back under another key");
      pending.remove(miss);
    }
  }

  /** What the server says of a row that it cannot judge, under the table's name. Such a row cannot be copied either. */
  #notJudged(e: unknown): unknown {
    const number = errorNumber(e);
    if (number === null || PASSING.has(number)) return e;
    return this.#failed(`the source cannot judge a row (${number}: ${errorText(e)})`);
  }

  #failed(state: string): FerryError {
    return new FerryError(
      "filter-failed",
      `Cannot filter changes of "${tableLabel(this.table.table)}": ${state}`,
      { hint: "Another filter, that has an answer for every row; start another ferry with it" },
    );
  }
}
