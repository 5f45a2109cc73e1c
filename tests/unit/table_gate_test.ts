/** Who goes first at a table's gate. */
import assert from "node:assert/strict";
import { TableGate } from "../../lib/copy/table_gate.ts";

const never = new AbortController().signal;
/** Everything that can go on has gone on. */
const settle = () => new Promise((r) => setTimeout(r));

Deno.test("a flush that waits goes before chunks that come later, so that copying never starves replay", async () => {
  const gate = new TableGate();
  const order: string[] = [];
  const note = (what: string) => <T>(release: T) => (order.push(what), release);
  const first = await gate.chunk(never);
  const flush = gate.flush(never).then(note("flush"));
  const later = gate.chunk(never).then(note("later chunk"));
  await settle();
  assert.deepEqual(order, [], "the flush waits for the chunk in flight, the later chunk for the flush");
  first();
  await settle();
  assert.deepEqual(order, ["flush"]);
  (await flush)();
  (await later)();
  assert.deepEqual(order, ["flush", "later chunk"]);
});

Deno.test("a flush that is given up lets the chunks go that waited for it", async () => {
  const gate = new TableGate();
  const first = await gate.chunk(never);
  const stop = new AbortController();
  const flush = gate.flush(stop.signal);
  let went = false;
  const later = gate.chunk(never).then((release) => (went = true, release));
  stop.abort(new Error("given up"));
  await assert.rejects(flush, /given up/);
  await settle();
  assert.ok(went, "beside the first chunk");
  first();
  (await later)();
});
