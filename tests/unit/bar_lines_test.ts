import assert from "node:assert/strict";
import { barLines } from "../../lib/cli/bar_lines.ts";
import type { FerryResource, TableProgress } from "../../lib/progress/resource.ts";
import { resourceOf, tableOf } from "./routes_fake_dock.ts";

const table = (n: number, state: TableProgress["state"], rowsCopied = 0): TableProgress =>
  tableOf({ source: `shop.table_${n}`, target: `shop.table_${n}`, state, rowsCopied, rowsEstimated: 1000 });

function copying(tables: readonly TableProgress[], more: Partial<FerryResource> = {}): FerryResource {
  const progress = {
    ...resourceOf("a").progress,
    rowsCopied: 63_000,
    rowsEstimated: 100_000,
    rowsPerSecond: 900,
    etaSeconds: 840,
    lagSeconds: 0.4,
  };
  return resourceOf("a", { state: "copying", tables, progress, ...more });
}

const MANY = [
  table(0, "copied", 1000),
  table(1, "waiting"),
  table(2, "copying", 250),
  ...Array.from({ length: 200 }, (_, i) => table(i + 3, "waiting")),
];

Deno.test("the headline, the whole, and the tables under way before those to come", () => {
  const [title, whole, ...tables] = barLines(copying(MANY.slice(0, 3)), {
    columns: 120,
    rows: 24,
    color: false,
  });
  assert.deepEqual([title, ...tables], [
    "Copying 3 tables from src.example:3307 to dst.example: 63 %, about 14 minutes left",
    `shop.table_2 ${"█".repeat(8)}${"░".repeat(22)}     25 %  250 of about 1,000 rows`,
    `shop.table_1 ${"░".repeat(30)}      0 %  waiting`,
    "1 of 3 tables is through",
  ]);
  assert.match(
    whole,
    /^copying █{15,19}░+ +63 % {2}63,000 of about 100,000 rows, 900 rows\/s, 14 min left, 0\.4 s behind$/,
  );
});

Deno.test("more tables than the screen has lines are summed up, and no line is wider than the screen", () => {
  for (const [columns, rows] of [[120, 24], [80, 10], [40, 6], [20, 4], [10, 2], [200, 60]]) {
    const lines = barLines(
      copying(MANY, { throttled: { reason: "Threads_running is 60", name: "Threads_running" } }),
      {
        columns,
        rows,
        color: false,
      },
    );
    assert.ok(lines.length <= Math.max(1, rows - 1), `${lines.length} lines on ${rows}`);
    for (const line of lines) assert.ok(line.length <= columns, `${line.length} on ${columns}: ${line}`);
    if (rows < 6) continue;
    const shown = lines.filter((line) => line.startsWith("shop.")).length;
    assert.equal(lines.length, rows - 1, "the screen is used");
    assert.ok(lines.at(-1)!.startsWith(`… and ${202 - shown} more tables`), lines.at(-1)!);
    assert.match(lines[2], /^Slowed down: /);
  }
});

Deno.test("as many tables as fit are shown without summing up", () => {
  const five = MANY.slice(1, 6);
  assert.equal(barLines(copying(five), { columns: 80, rows: 8, color: false }).length, 7);
  assert.match(
    barLines(copying(five), { columns: 80, rows: 7, color: false }).at(-1)!,
    /^… and 2 more tables$/,
  );
});

Deno.test("colours only where they are wanted, and nothing that a terminal would obey from anybody", () => {
  const evil = { ...table(1, "copying", 1), source: "shop.\x1b[2Jgone" };
  // A service that is not ours may answer anything.
  const word = { resumedTimes: "\x1b[2J" as unknown as number };
  const plain = barLines(copying([evil], word), { columns: 120, rows: 24, color: false });
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(plain.join(""), /[\x00-\x1f]/);
  const colored = barLines(copying([evil], word), { columns: 120, rows: 24, color: true }).join("");
  assert.ok(colored.includes("\x1b[36m█"));
  assert.ok(!colored.includes("\x1b[2J"));
});

Deno.test("an unknown number is being measured, and a table that differs comes first", () => {
  const unknown = { ...table(1, "copying", 5), rowsEstimated: null };
  const lines = barLines(resourceOf("a", { state: "copying", tables: [unknown, table(2, "differing")] }), {
    columns: 100,
    rows: 24,
    color: false,
  });
  assert.match(lines[1], /measuring {2}0 of an unknown number of rows$/);
  assert.match(lines[2], /^shop\.table_2 .*differs$/);
  assert.match(lines[3], /measuring {2}5 of an unknown number of rows$/);
});
