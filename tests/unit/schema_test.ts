import assert from "node:assert/strict";
import { chooseKey, type Index } from "../../lib/schema/choose_key.ts";
import type { Column } from "../../lib/schema/table.ts";

function column(name: string, dataType: string, more: Partial<Column> = {}): Column {
  return {
    name,
    ordinal: 0,
    dataType,
    columnType: dataType,
    unsigned: false,
    charset: null,
    collation: null,
    octetLength: null,
    precision: null,
    scale: null,
    fraction: null,
    nullable: false,
    generated: false,
    ...more,
  };
}

function unique(name: string, columns: (string | null)[], more: Partial<Index> = {}): Index {
  return { name, unique: true, columns, whole: true, usable: true, ...more };
}

const COLUMNS = [
  column("id", "int"),
  column("code", "varchar"),
  column("b", "bigint"),
  column("maybe", "int", { nullable: true }),
  column("sum", "int", { generated: true }),
];
const chosen = (...indexes: Index[]) => chooseKey(indexes, COLUMNS)?.name ?? null;

Deno.test("chooseKey() takes PRIMARY before anything shorter", () => {
  assert.equal(chosen(unique("a", ["id"]), unique("PRIMARY", ["code", "b"])), "PRIMARY");
});

Deno.test("chooseKey() takes the fewest columns, then integers, then the first name", () => {
  assert.equal(chosen(unique("a", ["id", "b"]), unique("z", ["code"])), "z");
  assert.equal(chosen(unique("a", ["code"]), unique("z", ["b"])), "z");
  assert.equal(chosen(unique("n", ["b"]), unique("m", ["id"])), "m");
});

Deno.test("chooseKey() gives the columns in the index's order, whatever their case", () => {
  assert.deepEqual(chooseKey([unique("a", ["B", "ID"])], COLUMNS)!.key.map((c) => c.name), ["b", "id"]);
});

Deno.test("chooseKey() takes no index that does not tell rows apart or that cannot be walked", () => {
  assert.equal(chosen(), null);
  assert.equal(chosen(unique("a", ["id"], { unique: false })), null);
  assert.equal(chosen(unique("a", ["id", "maybe"])), null);
  assert.equal(chosen(unique("a", ["sum"])), null);
  assert.equal(chosen(unique("PRIMARY", ["code"], { whole: false })), null);
  assert.equal(chosen(unique("a", [null], { whole: false })), null);
  assert.equal(chosen(unique("a", ["id"], { usable: false })), null);
  assert.equal(chosen(unique("PRIMARY", ["code"], { whole: false }), unique("u", ["id"])), "u");
});
