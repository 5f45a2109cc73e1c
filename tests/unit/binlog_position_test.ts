import assert from "node:assert/strict";
import { comparePositions, positionText } from "../../lib/binlog/position.ts";
import { RunningPosition } from "../../lib/binlog/running_position.ts";
import { EventType, FLAG_ARTIFICIAL } from "../../lib/binlog/event_header.ts";
import { tailStart } from "../../lib/ferry/tail_start.ts";

Deno.test("positions are ordered by the number of their file, then by offset", () => {
  const order = [
    { file: "binlog.000009", offset: 900 },
    { file: "binlog.000010", offset: 4 },
    { file: "binlog.999999", offset: 4 },
    { file: "binlog.1000000", offset: 4 },
    { file: "binlog.1000000", offset: 2 ** 33 },
  ];
  for (let i = 0; i < order.length; i++) {
    for (let j = 0; j < order.length; j++) {
      assert.equal(Math.sign(comparePositions(order[i], order[j])), Math.sign(i - j));
    }
  }
  assert.equal(positionText(order[1]), "binlog.000010:4");
});

/** A position that `events` moved: length and low half of the end. */
function moved(
  offset: number,
  ...events: [length: number, next: number, type?: number, flags?: number][]
): number {
  const p = new RunningPosition({ file: "b.1", offset });
  for (const [length, next, type = EventType.QUERY, flags = 0] of events) {
    p.advance(type, length, next, flags);
  }
  return p.now().offset;
}

Deno.test("offsets go on behind 4 GiB, where events say only the low half", () => {
  const near = 2 ** 32 - 100;
  assert.equal(moved(near, [300, 200]), 2 ** 32 + 200);
  assert.equal(moved(near, [300, 200], [50, 250]), 2 ** 32 + 250);
  assert.equal(moved(2 ** 32 + 10, [20, 30]), 2 ** 32 + 30);
  assert.equal(moved(5 * 2 ** 32 + 10, [20, 30]), 5 * 2 ** 32 + 30);
  assert.equal(moved(near, [4_000_000_000, (near + 4_000_000_000) % 2 ** 32]), near + 4_000_000_000);
});

Deno.test("a stream that begins by GTIDs behind 4 GiB opens with the beginning of its file, and stays where it is", () => {
  const opening: [number, number, number][] = [
    [122, 126, EventType.FORMAT_DESCRIPTION],
    [71, 197, EventType.PREVIOUS_GTIDS],
  ];
  for (const place of [2 ** 32 + 1000, 2 ** 32 + 50, 2 ** 33 + 50]) {
    const low = place % 2 ** 32;
    assert.equal(moved(place, ...opening), place);
    assert.equal(moved(place, ...opening, [80, low + 80]), place + 80);
  }
  assert.equal(moved(4, ...opening), 197, "in a file that was begun anew they take their room");
});

Deno.test("a tail begins at the saved place, or by GTIDs where that cannot be asked for", () => {
  const at = (offset: number, gtids: string | null) =>
    tailStart({ file: "b.1", offset, gtids, prepared: [], changes: 0 }).startGtids;
  const gtids = "11111111-1111-1111-1111-111111111111:1-3";
  assert.equal(at(0, gtids), gtids);
  assert.equal(at(0, ""), "");
  assert.equal(at(1000, gtids), undefined);
  assert.equal(at(2 ** 32 - 1, gtids), undefined);
  assert.equal(at(2 ** 32, gtids), gtids);
  assert.equal(at(2 ** 32, ""), "");
  assert.equal(at(2 ** 32, null), undefined, "without GTIDs the stream says why it cannot");
  const { start } = tailStart({ file: "b.1", offset: 2 ** 32, gtids, prepared: [], changes: 7 });
  assert.deepEqual(start, { file: "b.1", offset: 2 ** 32 }, "offsets are added up from there");
});

Deno.test("events that don't say where they end are added up", () => {
  assert.equal(moved(100, [50, 0], [50, 0], [10, 210]), 210);
  assert.equal(moved(100, [50, 0]), 150);
  const long = 3_000_000_000;
  assert.equal(moved(100, [long, 0], [long, 0], [100, (200 + 2 * long) % 2 ** 32]), 200 + 2 * long);
});

Deno.test("what the server made up takes no room", () => {
  assert.equal(moved(500, [50, 0, EventType.ROTATE, FLAG_ARTIFICIAL]), 500);
  assert.equal(moved(500, [120, 0, EventType.FORMAT_DESCRIPTION]), 500);
  assert.equal(moved(4, [120, 124, EventType.FORMAT_DESCRIPTION]), 124);
  assert.equal(moved(500, [40, 480, EventType.HEARTBEAT]), 500);
  assert.equal(moved(500, [40, 620, EventType.HEARTBEAT]), 620);
  assert.equal(moved(2 ** 32 + 500, [40, 620, EventType.HEARTBEAT]), 2 ** 32 + 500);
});

Deno.test("a rotate goes to the next file, its made-up echo changes nothing", () => {
  const p = new RunningPosition({ file: "b.1", offset: 2 ** 33 });
  p.rotate("b.1", 4);
  assert.deepEqual(p.now(), { file: "b.1", offset: 2 ** 33 });
  p.rotate("b.2", 4);
  assert.deepEqual(p.now(), { file: "b.2", offset: 4 });
});
