import { Dependencies } from "../../lib/replay/dependencies.ts";
import { KeyNotes } from "../../lib/replay/key_notes.ts";
import assert from "node:assert/strict";
import { CopyRange } from "../../lib/copy/copy_range.ts";
import { Delivered } from "../../lib/copy/delivered.ts";
import { FerriedTable } from "../../lib/copy/ferried_table.ts";
import { Arena } from "../../lib/mysql/arena.ts";
import { type BoundTable, Replayer } from "../../lib/replay/replayer.ts";
import type { Column, Table } from "../../lib/schema/table.ts";

const ID: Column = {
  name: "id",
  ordinal: 0,
  dataType: "int",
  columnType: "int",
  unsigned: false,
  charset: null,
  collation: null,
  octetLength: null,
  precision: 10,
  scale: 0,
  fraction: null,
  nullable: false,
  generated: false,
};

const TABLE: Table = {
  schema: "shop",
  name: "t",
  columns: [ID],
  keyName: "PRIMARY",
  key: [ID],
  hasOtherUnique: false,
  rowsEstimated: null,
  bytesEstimated: null,
};

/** Changes that wait after a row was delivered while nothing of its table was read. */
function waiting(more: { where?: string; targetHasUnique?: boolean }): number {
  const { where = null, targetHasUnique = false } = more;
  const table = new FerriedTable(0, { table: TABLE, target: TABLE, where, merge: false, targetHasUnique });
  const none = { lower: null, upper: null, cursor: null, done: false, rows: 0, bytes: 0 };
  table.ranges = [new CopyRange(table, { tableNo: 0, rangeNo: 0, ...none })];
  const delivered = new Delivered({ file: "binlog.1", offset: 4 }, null);
  const replayer = new Replayer(new Map(), delivered, new KeyNotes(new Dependencies([], [])), () => {});
  const out = new Arena();
  out.reserve(5);
  out.bytes.fill(0, 0, 5);
  replayer.insert({ table } as BoundTable, out, 0, 5, 5);
  return replayer.pendingChanges;
}

Deno.test("a row that a read is still to see is left out, but not under a filter, nor beside a unique key (I4)", () => {
  assert.equal(waiting({}), 0);
  assert.equal(waiting({ where: "id > 0" }), 1);
  assert.equal(waiting({ targetHasUnique: true }), 1);
});
