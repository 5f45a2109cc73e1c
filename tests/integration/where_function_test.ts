/**
 * `where` as a function of the library's user: it chooses tables and their filters, and its answers are kept to.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import type { FilterableTable } from "../../lib/mod.ts";
import { assertEqual } from "../support/equality.ts";
import { shopSpec, until, untilShown } from "../support/ferries.ts";
import { FILTER_CASES } from "../support/filter_cases.ts";
import { makeTables, tableOf } from "../support/filters.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Sql } from "../support/sql.ts";

onEachFlavour(
  "a where function chooses tables and rows, and answers the same after a restart",
  async (pair) => {
    const { source, target } = pair;
    const cases = FILTER_CASES.filter((c) => ["integers", "is_null", "ci_collation"].includes(c.name));
    await makeTables(source.url, cases);
    await using sql = await Sql.open(source.url);
    await sql.run("CREATE TABLE shop.no_key (a INT)");
    const told: FilterableTable[] = [];
    const choose = (t: FilterableTable) => {
      told.push(t);
      if (t.key.length === 0) return false;
      const column = t.columns.find((c) => /^varchar/.test(c.type));
      return column === undefined ? t.name === "integers" ? "a > 1" : null : `${column.name} = 'foo'`;
    };
    const spec = (where: unknown) =>
      shopSpec(source.url, target.url, {
        id: "chosen",
        tables: [{ table: "shop.*", where }],
        copy: { concurrency: 1, chunkBytes: 16384 },
        cutover: { mode: "manual", fence: "lockTables", keepFence: false },
      });
    const first = openDock();
    try {
      await until(await first.start(spec(choose)), ["awaitingCutover"]);
    } finally {
      await first.close();
    }
    assert.deepEqual(
      told.map((t) => `${t.schema}.${t.name}`).sort(),
      [...cases.map(tableOf), "shop.no_key"].sort(),
    );
    const { columns, indexes, key } = told.find((t) => t.name === "integers")!;
    assert.deepEqual([key, indexes], [["id"], [{ name: "PRIMARY", unique: true, columns: ["id"] }]]);
    assert.deepEqual(columns.map((c) => [c.name, c.nullable, c.generated]), [
      ["id", false, false],
      ["n", false, false],
      ["a", true, false],
    ]);
    await sql.run("UPDATE shop.integers SET a = 3 - a");
    const second = openDock();
    try {
      const other = await second.start(spec((t: FilterableTable) => t.key.length > 0 && "id > 0"));
      const { error } = await other.ended;
      assert.equal(error?.code, "spec-differs");
    } finally {
      await second.close();
    }
    const third = openDock();
    try {
      const ferry = await third.start(spec(choose));
      assert.equal((await ferry.ended).state, "failed");
      await ferry.act("retry");
      // It counts as failed for a moment more, until it has its lease.
      await untilShown(ferry, ({ state }) => state === "awaitingCutover");
      await ferry.act("cutover");
      await until(ferry, ["done"]);
    } finally {
      await third.close();
    }
    const filters = new Map([["shop.integers", "a > 1"], ["shop.ci_collation", "a = 'foo'"]]);
    await assertEqual(source.url, target.url, cases.map(tableOf), filters);
    await using there = await Sql.open(target.url);
    const [left] = await there.run(
      "SELECT COUNT(*) AS n FROM information_schema.tables WHERE table_name = 'no_key'",
    );
    assert.equal(Number(left.n), 0, "false leaves a table out");
  },
);

/** What a function may not do, and the finding's code. */
const BAD_ANSWERS: readonly (readonly [answer: () => unknown, code: string, seen: RegExp])[] = [
  [() => false, "no-tables", /left every table out/],
  [() => 7, "where-refused", /answered 7/],
  [() => undefined, "where-refused", /answered undefined/],
  [() => " ", "where-refused", /answered " "/],
  [() => "nope = 1", "where-refused", /1054/],
  [
    () => {
      throw new Error("mistaken");
    },
    "where-refused",
    /mistaken/,
  ],
];

onEachFlavour("a where function that answers wrong is a finding", async ({ source, target }) => {
  await makeTables(source.url, FILTER_CASES.slice(0, 1), 10);
  const dock = openDock();
  try {
    for (const [where, code, seen] of BAD_ANSWERS) {
      const spec = shopSpec(source.url, target.url, { tables: [{ table: "shop.*", where }] });
      const { findings } = await dock.check(spec);
      const errors = findings.filter((f) => f.level === "error");
      assert.deepEqual(errors.map((f) => f.code), [code], JSON.stringify(errors));
      assert.match(errors[0].detail, seen);
    }
  } finally {
    await dock.close();
  }
});
