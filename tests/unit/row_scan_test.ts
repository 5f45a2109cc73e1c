/**
 * A result set arrives in pieces of any length: rows are cut out of them as they were sent, and everything else reaches
 * the driver one packet after another.
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type DriverConnection, PacketSplitter } from "../../lib/mysql/packet_splitter.ts";
import { RawRead } from "../../lib/mysql/raw_commands.ts";
import { RawPrepare } from "../../lib/mysql/statement_commands.ts";
import { RowList } from "../../lib/mysql/row_list.ts";
import { RowScan } from "../../lib/mysql/row_scan.ts";

const EOF = Buffer.from([0xfe, 0, 0, 2, 0]);

/** Packets of these payloads, numbered from `sequence` on; long payloads take several. */
function packets(payloads: readonly Buffer[], sequence: number): Buffer {
  const parts: Buffer[] = [];
  for (const payload of payloads) {
    for (let o = 0;; o += 0xffffff) {
      const part = payload.subarray(o, o + 0xffffff);
      const head = Buffer.alloc(4);
      head.writeUIntLE(part.length, 0, 3);
      head[3] = sequence++ & 255;
      parts.push(head, part);
      if (part.length < 0xffffff) break;
    }
  }
  return Buffer.concat(parts);
}

/** A row packet's payload: the byte 0, then `n` bytes of a pattern that tells rows apart. */
function row(n: number, i: number): Buffer {
  const b = Buffer.alloc(n + 1);
  for (let k = 1; k <= n; k++) b[k] = (i * 31 + k * 7) & 255;
  return b;
}

/** Pieces of these lengths, over and over. */
function* pieces(all: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let o = 0, i = 0; o < all.length; o += lengths[i++ % lengths.length]) {
    yield all.subarray(o, o + lengths[i % lengths.length]);
  }
}

function contents(rows: RowList): Buffer[] {
  return Array.from(
    { length: rows.count },
    (_, i) => Buffer.from(rows.arena.bytes.subarray(rows.starts[i], rows.ends[i])),
  );
}

/** What of the driver the splitter meets: whole packets go to the command, as the driver's parser does. */
class Driver implements DriverConnection {
  readonly packets: Buffer[] = [];
  packetParser: { execute(chunk: Buffer): unknown };
  sequenceId = 0;
  failure: unknown = null;
  readonly stream = { destroy: () => {} };
  #gathered = Buffer.alloc(0);

  constructor(public _command: RawPrepare | RawRead | null) {
    this.packetParser = { execute: (chunk: Buffer) => this.#take(chunk) };
  }

  #take(chunk: Buffer): void {
    this.#gathered = Buffer.concat([this.#gathered, chunk]);
    const length = this.#gathered.length < 4 ? Infinity : this.#gathered.readUIntLE(0, 3) + 4;
    if (this.#gathered.length < length) return;
    assert.deepEqual(this.#gathered.length, length, "the driver gets nothing that is behind a packet");
    const buffer = this.#gathered;
    this.#gathered = Buffer.alloc(0);
    this.packets.push(buffer.subarray(4));
    assert.deepEqual(buffer[3], this.sequenceId, "packets come in order");
    this.sequenceId = (this.sequenceId + 1) & 255;
    const packet = { buffer, offset: 4, end: buffer.length, asError: () => new Error("refused") };
    if (this._command?.execute(packet, this) === true) this._command = null;
  }

  _handleFatalError(error: unknown): void {
    this.failure = error;
  }

  _resetSequenceId(): void {
    this.sequenceId = 0;
  }

  _bumpSequenceId(n: number): void {
    this.sequenceId += n;
  }

  write(): void {}
}

function answer(rows: readonly Buffer[], end: Buffer): Buffer {
  const definitions = [Buffer.from([2]), Buffer.from("first"), Buffer.from(""), EOF];
  return packets([...definitions, ...rows, end], 1);
}

Deno.test("rows come out as they were sent, however the answer is cut", () => {
  const sent = Array.from({ length: 300 }, (_, i) => row(i % 17 === 0 ? 3000 : i % 90, i));
  const all = answer(sent, EOF);
  for (const lengths of [[1], [2, 3, 5], [7], [64], [1000, 1], [4096], [all.length]]) {
    const rows = new RowList();
    let got: unknown = null;
    const command = new RawRead(Buffer.alloc(9), rows, null, (e, n) => got = e ?? n);
    const driver = new Driver(command);
    PacketSplitter.install(driver);
    command.execute(null, driver);
    for (const piece of pieces(all, lengths)) driver.packetParser.execute(Buffer.from(piece));
    assert.deepEqual(driver.failure, null);
    assert.deepEqual(got, 300, `pieces of ${lengths}`);
    assert.deepEqual(contents(rows), sent.map((b) => b.subarray(1)));
    assert.deepEqual(rows.size, sent.reduce((sum, b) => sum + b.length - 1, 0));
    assert.deepEqual(driver.packets.length, 5, "the driver saw no row");
  }
});

Deno.test("rows that are drained are gone, what there is of the next one stays", () => {
  const sent = Array.from({ length: 500 }, (_, i) => row(i % 333, i));
  const rows = new RowList();
  const seen: Buffer[] = [];
  let got: unknown = null;
  const command = new RawRead(
    Buffer.alloc(9),
    rows,
    () => seen.push(...contents(rows)),
    (e, n) => got = e ?? n,
  );
  const driver = new Driver(command);
  PacketSplitter.install(driver);
  command.execute(null, driver);
  for (const piece of pieces(answer(sent, EOF), [777, 13])) driver.packetParser.execute(Buffer.from(piece));
  assert.deepEqual(driver.failure, null);
  assert.deepEqual(got, 500);
  assert.deepEqual(seen, sent.map((b) => b.subarray(1)));
  assert.deepEqual(rows.arena.bytes.length, 1 << 16, "memory does not grow with the answer");
});

Deno.test("a statement's definitions are passed over, however the answer is cut", () => {
  for (const [columns, parameters] of [[0, 0], [3, 0], [0, 3000], [4, 2]]) {
    const ok = Buffer.alloc(12);
    ok.writeUInt32LE(77, 1);
    ok.writeUInt16LE(columns, 5);
    ok.writeUInt16LE(parameters, 7);
    const list = (n: number) => n === 0 ? [] : [...Array.from({ length: n }, (_, i) => row(i % 50, i)), EOF];
    const all = packets([ok, ...list(parameters), ...list(columns)], 1);
    for (const lengths of [[1], [2, 3, 5], [64], [all.length]]) {
      let got: unknown = null;
      const command = new RawPrepare("SELECT ?", (e, n) => got = e ?? n);
      const driver = new Driver(command);
      PacketSplitter.install(driver);
      command.execute(null, driver);
      for (const piece of pieces(all, lengths)) driver.packetParser.execute(Buffer.from(piece));
      assert.equal(driver.failure, null);
      assert.equal(got, 77, `${columns} columns, ${parameters} parameters`);
      assert.equal(
        driver.packets.length,
        columns + parameters === 0 ? 1 : 2,
        "the driver saw its first and its last",
      );
    }
  }
});

Deno.test("an error in the middle of the rows is the command's error", () => {
  const rows = new RowList();
  let got: unknown = null;
  const command = new RawRead(Buffer.alloc(9), rows, null, (e) => got = e);
  const driver = new Driver(command);
  PacketSplitter.install(driver);
  command.execute(null, driver);
  driver.packetParser.execute(answer([row(5, 1), row(6, 2)], Buffer.from([0xff, 1, 2, 3])));
  assert.deepEqual((got as Error).message, "refused");
});

Deno.test("rows of 16 MiB and more are put together", () => {
  for (const n of [0xffffff - 1, 0xffffff, 2 * 0xffffff + 5]) {
    const sent = [row(10, 1), row(n, 2), row(20, 3)];
    const rows = new RowList();
    const scan = new RowScan(rows, 9);
    let rest: Buffer | null = null;
    for (const piece of pieces(packets([...sent, EOF], 9), [1 << 20, 4095])) {
      rest = scan.feed(Buffer.from(piece));
    }
    assert.deepEqual(rest?.subarray(4), EOF);
    assert.deepEqual(rest![3], scan.sequence);
    for (const [i, b] of contents(rows).entries()) {
      assert.deepEqual(b.equals(sent[i].subarray(1)), true, `row ${i}`);
    }
  }
});

Deno.test("a packet that is missing, or none that could come, stops the read", () => {
  const gap = Buffer.concat([packets([row(5, 1)], 4), packets([row(5, 2)], 6)]);
  assert.throws(() => new RowScan(new RowList(), 4).feed(gap), /packet 6 has come in place of 5/);
  const odd = packets([Buffer.from([7, 1, 2, 3])], 4);
  assert.throws(() => new RowScan(new RowList(), 4).feed(odd), /a row begins with byte 7/);
  // Through the splitter it is the connection's end.
  const command = new RawRead(Buffer.alloc(9), new RowList(), null, () => {});
  const driver = new Driver(command);
  PacketSplitter.install(driver);
  command.execute(null, driver);
  driver.packetParser.execute(answer([Buffer.from([7])], EOF));
  assert.deepEqual((driver.failure as { code?: string }).code, "protocol-broken");
});
