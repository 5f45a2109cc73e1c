import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { GtidSet, MariadbGtidPosition, parseExecutedGtids } from "../../lib/binlog/gtid_set.ts";
import { mariadbGtid, mysqlGtid, mysqlTaggedGtid } from "../../lib/binlog/gtid_event.ts";

const A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B = "2c256447-3f0d-431b-9a25-bddf1f1f6ef6";

Deno.test("a GTID set reads and says the server's notation", () => {
  for (
    const [text, said] of [
      ["", ""],
      [`${A}:1-5:7`, `${A}:1-5:7`],
      [`${A}:7:1-5:6`, `${A}:1-7`],
      [`${A.toUpperCase()}:1-5:11-18,\n${B}:1-27`, `${B}:1-27,${A}:1-5:11-18`],
      [`${A}:blue:1:1-2:a_9:4,${A}:3`, `${A}:3:a_9:4:blue:1-2`],
      [`${A}:5-3`, ""],
      [`${A.replaceAll("-", "")}:1`, `${A}:1`],
    ]
  ) assert.equal(GtidSet.parse(text).toString(), said);
});

Deno.test("a GTID set that is none is refused", () => {
  for (
    const text of ["0-1-10", "x:1", A, `${A}:`, `${A}:0`, `${A}:1-2-3`, `${A}:1-x`, `${A}:9007199254740993`]
  ) {
    assert.throws(() => GtidSet.parse(text), { code: "gtid-invalid" }, text);
  }
  for (const text of ["", A, `${A}:0`, `${A}:1-2`]) {
    assert.throws(() => new GtidSet().addText(text), { code: "gtid-invalid" }, text);
  }
});

Deno.test("a GTID set takes numbers in any order and joins what touches", () => {
  const numbers = Array.from({ length: 60 }, (_, i) => (i * 37) % 61 + 1);
  const set = new GtidSet();
  const taken = new Set<number>();
  for (const n of numbers) {
    set.add(A, n);
    taken.add(n);
    for (let k = 0; k <= 62; k++) assert.equal(set.contains(A, k), taken.has(k), `${k} after ${n}`);
    assert.equal(GtidSet.parse(set.toString()).toString(), set.toString());
  }
  set.addText(`${A}:blue:3`);
  assert(set.contains(`${A}:blue`, 3) && !set.contains(B, 3));
  const missing = Array.from({ length: 61 }, (_, i) => i + 1).find((n) => !taken.has(n))!;
  assert.equal(set.toString(), `${A}:${missing === 1 ? "" : `1-${missing - 1}:`}${missing + 1}-61:blue:3`);
});

Deno.test("a MariaDB position holds the last of each domain", () => {
  const position = MariadbGtidPosition.parse("2-2-5, 0-1-10");
  position.addText("0-3-11");
  assert.equal(position.toString(), "0-3-11,2-2-5");
  assert.throws(() => position.addText(`${A}:1`), { code: "gtid-invalid" });
  assert.equal(parseExecutedGtids("", "mariadb").toString(), "");
  assert.equal(parseExecutedGtids(`${A}:1`, "mysql").toString(), `${A}:1`);
});

Deno.test("GTID events say the id", () => {
  const plain = Buffer.from(`00${A.replaceAll("-", "")}ffffffffffffff7f02`, "hex");
  assert.equal(mysqlGtid(plain, 0), `${A}:9223372036854775807`);

  const header = "00000000a207000000320000000000000000" + "00";
  const maria = Buffer.from(header + "0a00000000000000" + "03000000" + "01", "hex");
  assert.deepEqual(mariadbGtid(maria, 0), { gtid: "3-7-10", standalone: true });
  maria[19 + 12] = 0x0c;
  assert.equal(mariadbGtid(maria, 0).standalone, false);
});

/** MySQL's serialization: n trailing 1 bits in the first byte are n further bytes. */
function varint(n: number): number[] {
  return n < 128 ? [n << 1] : [((n & 0x3f) << 2) | 1, n >> 6];
}

Deno.test("a tagged GTID event is a message of fields", () => {
  const uuid = [...Buffer.from(A.replaceAll("-", ""), "hex")];
  const message = (version: number, required: number, tag: string) =>
    Buffer.from([
      ...[version, 60, required, 0, 1].flatMap(varint), // …, flags
      ...varint(1),
      ...uuid.flatMap(varint),
      ...[2, 300 << 1, 3, tag.length].flatMap(varint),
      ...Buffer.from(tag),
      ...[4, 77].flatMap(varint), // a clock
    ]);
  const blue = message(1, 0, "blue");
  assert.equal(mysqlTaggedGtid(blue, 0, blue.length), `${A}:blue:300`);
  const none = message(1, 0, "");
  assert.equal(mysqlTaggedGtid(none, 0, none.length), `${A}:300`);
  for (const bad of [message(2, 0, "blue"), message(1, 14, "blue"), blue.subarray(0, 20)]) {
    assert.throws(() => mysqlTaggedGtid(bad, 0, bad.length), { code: "event-decode" });
  }
});
