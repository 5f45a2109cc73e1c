import assert from "node:assert/strict";
import { rangesFor } from "../../lib/copy/plan_ranges.ts";

Deno.test("a table is cut by its rows or by its bytes, whichever is more, and never into more ranges than rows", () => {
  const cases: [rows: number, bytes: number, ranges: number][] = [
    [0, 0, 1],
    [0, 1 << 30, 1],
    [99_999, 1 << 20, 1],
    [100_000, 1 << 20, 2],
    [20_000, 100 << 20, 6],
    [3, 1 << 30, 3],
    [100_000_000, 1 << 40, 64],
  ];
  for (const [rows, bytes, ranges] of cases) assert.equal(rangesFor(rows, bytes), ranges, `${rows} ${bytes}`);
});
