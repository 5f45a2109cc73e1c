/**
 * How many rows a chunk has.
 * @module
 */
import assert from "node:assert/strict";
import { chunkRoom, firstLimit, nextLimit } from "../../lib/copy/chunk_limit.ts";

const NO_CAP = { rows: null, bytes: null };
const FREE = chunkRoom(1 << 20, NO_CAP, 4);

Deno.test("a first chunk is of what the server estimates, and small where it does not", () => {
  assert.equal(firstLimit(1000, 1_024_000, FREE), 1024);
  assert.equal(firstLimit(1000, 10_000, FREE), 4096, "an estimate is believed so far only");
  assert.equal(firstLimit(1, 1 << 24, FREE), 1, "a row is the least");
  assert.equal(firstLimit(null, null, FREE), 256);
  assert.equal(firstLimit(0, 16_384, FREE), 256);
});

Deno.test("the next chunk is of the bytes that the last one's rows had, and grows step by step", () => {
  assert.equal(nextLimit(4096, 4096, 4096 * 100, FREE), 10_240, "whole statements of 1024 rows");
  assert.equal(nextLimit(256, 256, 256, FREE), 2048);
  assert.equal(nextLimit(40_000, 40_000, 40_000, FREE), 49_152, "no chunk has more than 50,000 rows");
  assert.equal(nextLimit(2048, 0, 0, FREE), 2048, "no row says nothing");
});

Deno.test("all chunks that are under way together are what a cap allows in a second", () => {
  const [sideBySide, ahead] = [4, 2];
  const rows = chunkRoom(1 << 20, { rows: 800, bytes: null }, sideBySide);
  assert.equal(firstLimit(1_000_000, 10_000_000, rows) * sideBySide * ahead, 800);
  assert.equal(nextLimit(100, 100, 1000, rows) * sideBySide * ahead, 800);
  const bytes = chunkRoom(1 << 20, { rows: null, bytes: 80_000 }, sideBySide);
  assert.equal(firstLimit(1000, 100_000, bytes) * 100 * sideBySide * ahead, 80_000);
  assert.equal(nextLimit(100, 100, 10_000, bytes) * 100 * sideBySide * ahead, 80_000);
  assert.equal(nextLimit(1, 1, 1000, chunkRoom(1 << 20, { rows: 1, bytes: 1 }, 4)), 1, "a row is the least");
});
