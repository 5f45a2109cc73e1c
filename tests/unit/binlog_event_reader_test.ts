import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";
import { EventReader } from "../../lib/binlog/event_reader.ts";
import { EventType, FLAG_ARTIFICIAL, FLAG_IGNORABLE } from "../../lib/binlog/event_header.ts";
import { RowTranscoder } from "../../lib/binlog/row_transcoder.ts";
import type { BoundTable, TailHandler } from "../../lib/binlog/tail.ts";
import { wireLayout } from "../../lib/schema/wire_layout.ts";
import {
  anonymous,
  clientStatus,
  column,
  event,
  format,
  query,
  rotate,
  rows,
  table,
  tableMap,
  tableMapBody,
  xaPrepared,
  xid,
} from "./binlog_events.ts";

const T = table([column("a", "int"), column("b", "int")], ["a"]);
const NOTHING = Buffer.alloc(0);
const { INSERT, UPDATE, DELETE } = {
  INSERT: EventType.WRITE_ROWS,
  UPDATE: EventType.UPDATE_ROWS,
  DELETE: EventType.DELETE_ROWS,
};

/** What a handler was told, as words; only `shop.t` is ferried. */
class Told implements TailHandler<BoundTable> {
  readonly words: string[] = [];

  bind: TailHandler<BoundTable>["bind"] = (map) => {
    this.words.push(`bind ${map.schema}.${map.name}`);
    return map.name === "t" ? { transcoder: new RowTranscoder(map, T, wireLayout(T)) } : null;
  };
  insert: TailHandler<BoundTable>["insert"] = (_t, out, start, key, end) => {
    this.words.push(`insert ${out.bytes.readInt32LE(start + 1)} ${out.bytes.readInt32LE(key)}`);
    assert.equal(end, start + 9);
  };
  update: TailHandler<BoundTable>["update"] = (_t, out, oldKey, oldKeyEnd, start, key) => {
    assert.deepEqual([oldKeyEnd - oldKey, key - start], [4, 5]);
    const [from, to] = [oldKey, start + 1].map((o) => out.bytes.readInt32LE(o));
    this.words.push(`update ${from}>${to} ${out.bytes.readInt32LE(key)}`);
  };
  remove: TailHandler<BoundTable>["remove"] = (_t, out, start) => {
    this.words.push(`delete ${out.bytes.readInt32LE(start)}`);
  };
  begin: TailHandler<BoundTable>["begin"] = (gtid) =>
    void this.words.push(gtid === null ? "begin" : `begin ${gtid}`);
  commit: TailHandler<BoundTable>["commit"] = (end) => void this.words.push(`commit ${end.position.offset}`);
  statement: TailHandler<BoundTable>["statement"] = (text, schema, end) =>
    void this.words.push(`statement ${schema}:${text} ${end.position.offset}`);
  heartbeat: TailHandler<BoundTable>["heartbeat"] = (p) => void this.words.push(`heartbeat ${p.offset}`);
}

/** Feeds events from `b.1:1000` on; a leading description that stands elsewhere comes first. */
function told(...events: Buffer[]): Told {
  const handler = new Told();
  feed(handler, ...events);
  return handler;
}

function feed(handler: Told, ...events: Buffer[]): EventReader<BoundTable> {
  const reader = new EventReader(
    { file: "b.1", offset: 1000 },
    handler,
  );
  for (const e of [rotate("b.1", 1000, { flags: FLAG_ARTIFICIAL }), format(), ...events]) {
    // Never at the start of the memory: offsets must be honoured.
    const padded = Buffer.concat([Buffer.alloc(5, 0xee), e, Buffer.alloc(3, 0xee)]);
    reader.read(padded, 5, 5 + e.length);
  }
  return reader;
}

const size = (...events: Buffer[]) => events.reduce((n, e) => n + e.length, 1000);

Deno.test("a transaction is told from its begin to its end", () => {
  const events = [
    anonymous(),
    query("BEGIN"),
    tableMap(5, "shop", "t"),
    rows(INSERT, 5, [[1, 10], [2, 20]]),
    rows(UPDATE, 5, [[1, 10], [3, 11], [2, 20], [2, 21]]),
    rows(DELETE, 5, [[3, 11]]),
    xid(),
  ];
  assert.deepEqual(told(...events).words, [
    "begin",
    "bind shop.t",
    "insert 1 10",
    "insert 2 20",
    "update 1>3 11",
    "update 2>2 21",
    "delete 3",
    `commit ${size(...events)}`,
  ]);
});

Deno.test("without any GTID the BEGIN begins, and COMMIT ends as XID does", () => {
  assert.deepEqual(told(query("BEGIN"), query("COMMIT")).words, [
    "begin",
    `commit ${size(query("BEGIN"), query("COMMIT"))}`,
  ]);
});

Deno.test("DDL is a transaction of its own; inside a transaction a statement ends nothing", () => {
  const alone = [anonymous(), query("DROP TABLE x", "shop")];
  const end = size(...alone);
  assert.deepEqual(told(...alone).words, ["begin", `statement shop:DROP TABLE x ${end}`, `commit ${end}`]);
  const inside = [...alone, anonymous(), query("BEGIN"), query("CREATE TABLE y"), xid()];
  assert.deepEqual(told(...inside).words.slice(3), [
    "begin",
    `statement :CREATE TABLE y ${end}`,
    `commit ${size(...inside)}`,
  ]);
});

Deno.test("a statement is read in the character set of the client that sent it", () => {
  const texts = (bytes: Buffer, collation: number | null) =>
    told(query(bytes, "shop", collation === null ? undefined : clientStatus(collation))).words
      .filter((w) => w.startsWith("statement")).map((w) => w.slice("statement shop:".length, -5));
  const utf8 = Buffer.from("DROP TABLE größe");
  const latin1 = Buffer.from("DROP TABLE größe", "latin1");
  assert.deepEqual(texts(latin1, 8), ["DROP TABLE größe"]);
  assert.deepEqual(texts(latin1, 1032), ["DROP TABLE größe"], "MariaDB's NO PAD");
  assert.deepEqual(texts(utf8, 255), ["DROP TABLE größe"]);
  assert.deepEqual(texts(utf8, 2304), ["DROP TABLE größe"], "MariaDB's newest");
  assert.deepEqual(texts(utf8, null), ["DROP TABLE größe"]);
  assert.deepEqual(texts(Buffer.from("DROP TABLE x"), 8), ["DROP TABLE x"]);
  const cases: [string, string, number][] = [
    ["e3e5f0ee", "геро", 51],
    ["d5d5ccec", "照天", 28],
    ["955c", "表", 95],
    ["a5c6", "氾", 1],
  ];
  for (const [hex, word, collation] of cases) {
    assert.equal(
      texts(Buffer.concat([Buffer.from("DROP TABLE "), Buffer.from(hex, "hex")]), collation)[0],
      `DROP TABLE ${word}`,
    );
  }
  // What a server words itself may be UTF-8, whatever the client speaks: both readings are told.
  assert.deepEqual(texts(utf8, 8), ["DROP TABLE grÃ¶ÃŸe", "DROP TABLE größe"]);
  // To a latin1 client this is a space.
  assert.deepEqual(texts(Buffer.from("DROP TABLE\xa0x", "latin1"), 8), ["DROP TABLE\xa0x", "DROP TABLE x"]);
  // A set that nobody here can read (cp850), and bytes that no set would give.
  assert.deepEqual(texts(Buffer.from("DROP TABLE gr\x94\xe1e", "latin1"), 4), ["DROP TABLE gr\ufffd\ufffde"]);
  assert.deepEqual(texts(latin1, 255), ["DROP TABLE gr\ufffd\ufffde"]);
});

Deno.test("MariaDB's GTID says by its flag whether the next statement is all", () => {
  const gtid = (flags: number) => {
    const body = Buffer.alloc(19);
    body.writeBigUInt64LE(42n);
    body[12] = flags;
    return event(EventType.MARIADB_GTID, body);
  };
  assert.deepEqual(told(gtid(1), query("CREATE TABLE y")).words.map((w) => w.split(" ")[0]), [
    "begin",
    "statement",
    "commit",
  ]);
  const words = told(gtid(0), query("CREATE TABLE y"), xid()).words;
  assert.deepEqual(words.map((w) => w.split(" ")[0]), ["begin", "statement", "commit"]);
  assert.equal(words[0], "begin 0-7-42");
  assert.equal(words[1], "statement :CREATE TABLE y 1000");
});

Deno.test("a table map is bound once; another table under the same id is bound anew", () => {
  const t = tableMap(5, "shop", "t");
  const other = tableMap(5, "shop", "u");
  const insert = rows(INSERT, 5, [[1, 1]]);
  const words = told(anonymous(), t, insert, t, insert, xid(), other, insert, xid(), t, insert, xid()).words;
  assert.deepEqual(words.filter((w) => /bind|insert/.test(w)), [
    "bind shop.t",
    "insert 1 1",
    "insert 1 1",
    "bind shop.u",
    "bind shop.t",
    "insert 1 1",
  ]);
});

Deno.test("heartbeats are told between transactions only", () => {
  const beat = (next: number) => event(EventType.HEARTBEAT, Buffer.from("b.1"), { next });
  assert.deepEqual(told(beat(1000), anonymous(), beat(1200), beat(900)).words, ["heartbeat 1000", "begin"]);
  assert.deepEqual(told(beat(1500)).words, ["heartbeat 1500"]);
});

Deno.test("a rotate leads to the next file", () => {
  const reader = feed(
    new Told(),
    rotate("b.2", 4),
    rotate("b.2", 4, { flags: FLAG_ARTIFICIAL }),
    format(true, { next: 126 }),
  );
  assert.deepEqual(reader.position, { file: "b.2", offset: 126 });
});

Deno.test("compressed events say the same as plain ones", () => {
  const plain = [anonymous(), tableMap(5, "shop", "t"), rows(INSERT, 5, [[1, 10], [-2, 20]])];
  const deflated = (type: number, e: Buffer, from: number) => {
    const images = e.subarray(19 + from, -4);
    const head = Buffer.from([0x81, images.length]);
    return event(type, Buffer.concat([e.subarray(19, 19 + from), head, deflateSync(images)]));
  };
  const rowsAlone = plain[2];
  const compressed = deflated(EventType.MARIADB_WRITE_ROWS_COMPRESSED, rowsAlone, 8 + 2 + 1 + 1);
  const words = told(...plain).words;
  assert.deepEqual(told(plain[0], plain[1], compressed).words, words);
  const ddl = query("DROP TABLE x", "shop");
  const compressedDdl = deflated(EventType.MARIADB_QUERY_COMPRESSED, ddl, 13 + 5);
  assert.match(told(compressedDdl).words[1], /^statement shop:DROP TABLE x /);
  // A transaction in one payload: inner events have no checksum and no place of their own.
  const inner = Buffer.concat(
    [tableMapBody(5, "shop", "t")].map((b) => event(EventType.TABLE_MAP, b, { checksum: false })).concat([
      event(INSERT, rowsAlone.subarray(19, -4), { checksum: false }),
      event(EventType.XID, Buffer.alloc(8), { checksum: false }),
    ]),
  );
  const length = Buffer.from([1, 3, 252, inner.length & 255, inner.length >> 8, 2, 3, 252, 255, 0, 0]);
  const payload = event(EventType.TRANSACTION_PAYLOAD, Buffer.concat([length, inner]));
  assert.deepEqual(told(anonymous(), payload).words, [...words, `commit ${size(anonymous(), payload)}`]);
});

Deno.test("known events that concern no rows pass, and unknown ones that say they may be ignored", () => {
  const silent = [3, 28, 29, 35, 36, 37, 160, 161, 163, 164].map((type) => event(type, Buffer.alloc(30)));
  const ignorable = event(99, NOTHING, { flags: FLAG_IGNORABLE });
  assert.deepEqual(told(...silent, ignorable).words, []);
});

Deno.test("whatever cannot be understood stops the reader, with its place", () => {
  const t = tableMap(5, "shop", "t");
  const insert = rows(INSERT, 5, [[1, 1]]);
  const short = rows(INSERT, 5, [[1, 1]]);
  const cases: [code: string, ...events: Buffer[]][] = [
    ["binlog-event-unknown", event(99, NOTHING)],
    ["binlog-event-unknown", event(22, NOTHING)],
    ["binlog-incident", event(EventType.INCIDENT, Buffer.alloc(3))],
    ...[5, 6, 8, 9, 10, 11, 12, 13, 14, 17, 18].map((
      type,
    ): [string, Buffer] => ["statement-format", event(type, NOTHING)]),
    ["row-image-not-full", t, rows(INSERT, 5, [[1, 1]], 0xfd)],
    ["row-image-not-full", t, rows(UPDATE, 5, [[1, 1], [1, 2]], 0xfd)],
    ["row-image-partial", t, event(EventType.PARTIAL_UPDATE_ROWS, tableMapBody(5, "shop", "t"))],
    ["row-decode", insert],
    ["row-decode", t, event(INSERT, Buffer.concat([short.subarray(19, -8)]))],
    ["row-decode", t, event(EventType.MARIADB_WRITE_ROWS_COMPRESSED, short.subarray(19, -4))],
    ["event-decode", event(EventType.TABLE_MAP, tableMapBody(5, "shop", "t", [15, 3], [1]))],
    ["binlog-transaction-cut", anonymous(), t, insert, anonymous()],
    ["binlog-transaction-cut", anonymous(), t, insert, rotate("b.2", 4)],
    ["binlog-rollback", anonymous(), query("BEGIN"), t, insert, query("ROLLBACK")],
    ["binlog-rollback", anonymous(), query("BEGIN"), t, insert, query("ROLLBACK TO `a`")],
    ["xa-transaction", query("XA COMMIT X'61',X'',1")],
    [
      "xa-transaction",
      anonymous(),
      query("XA START X'61',X'',1"),
      t,
      insert,
      query("XA END X'61',X'',1"),
      xaPrepared(0),
    ],
    ["binlog-checksum", Buffer.from(xid()).fill(0xff, 20, 21)],
    ["event-decode", Buffer.concat([xid(), Buffer.alloc(1)])],
  ];
  for (const [code, ...events] of cases) {
    assert.throws(() => told(...events), (e: Error & { code: string }) => {
      assert.equal(e.code, code, e.message);
      assert.match(e.message, /^Cannot read the binlog up to "b\.\d:\d+", event ([A-Z_]+|type \d+): /);
      return true;
    }, code);
  }
});

Deno.test("XA in one phase, prepared without our rows, or rolled back is harmless", () => {
  const begin = [anonymous(), query("XA START X'61',X'',1")];
  const t = tableMap(5, "shop", "t");
  const last = (...events: Buffer[]) => told(...events).words.at(-1)!.split(" ")[0];
  assert.equal(
    last(...begin, t, rows(INSERT, 5, [[1, 1]]), query("XA END X'61',X'',1"), xaPrepared(1)),
    "commit",
  );
  assert.equal(
    last(...begin, query("XA END X'61',X'',1"), xaPrepared(0), anonymous(), query("XA COMMIT X'61',X'',1")),
    "commit",
  );
  assert.equal(last(anonymous(), query("XA ROLLBACK X'62',X'',1")), "commit");
});

Deno.test("what is prepared and not ours is told with every end, and known to a reader that begins there", () => {
  const [a, b] = ["x'61',x'',1", "x'62',x'',1"];
  const prepare = [anonymous(), query(`XA START ${a}`), query(`XA END ${a}`), xaPrepared(0)];
  const handler = new Told();
  const ends: (readonly string[])[] = [];
  const commit = handler.commit;
  handler.commit = (end) => {
    ends.push(end.prepared);
    commit(end);
  };
  feed(handler, ...prepare, anonymous(), xid(), anonymous(), query(`XA COMMIT ${a}`), anonymous(), xid());
  assert.deepEqual(ends, [[a], [a], [], []]);
  const later = (...events: Buffer[]) => {
    ends.length = 0;
    const reader = new EventReader({ file: "b.1", offset: 1000 }, handler, [a, b]);
    for (const e of [format(), ...events]) reader.read(e, 0, e.length);
    return ends;
  };
  assert.deepEqual(later(anonymous(), query(`XA COMMIT ${a}`)), [[b]]);
  assert.deepEqual(later(anonymous(), query(`XA ROLLBACK ${b}`)), [[a]]);
  assert.throws(() => later(anonymous(), query("XA COMMIT x'63',x'',1")), { code: "xa-transaction" });
});

Deno.test("rows of other tables are passed over, whatever they hold", () => {
  const u = tableMap(6, "shop", "u");
  const broken = event(INSERT, rows(INSERT, 6, [[1, 1]], 0).subarray(19, -8));
  assert.deepEqual(told(anonymous(), u, broken, query("ROLLBACK")).words.slice(0, 2), [
    "begin",
    "bind shop.u",
  ]);
  // An event that only ends a statement names no table.
  const dummy = event(INSERT, Buffer.from("ffffffffffff0100020000", "hex"));
  assert.deepEqual(told(dummy).words, []);
});

Deno.test("what the handler throws is the failure, as it is", () => {
  const handler = new Told();
  const mine = new TypeError("mine");
  handler.insert = () => {
    throw mine;
  };
  assert.throws(
    () => feed(handler, anonymous(), tableMap(5, "shop", "t"), rows(INSERT, 5, [[1, 1]])),
    (e) => e === mine,
  );
});

Deno.test("each file says whether its events have checksums", () => {
  const bare = event(EventType.XID, Buffer.alloc(8), { checksum: false });
  assert.deepEqual(
    told(format(false), bare, format(true), xid()).words.filter((w) => w === "begin").length,
    2,
  );
  assert.throws(() => told(format(true), bare), { code: "binlog-checksum" });
});
