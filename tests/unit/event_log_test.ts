/**
 * What a log of events remembers for those who come late, and which number each event has.
 * @module
 */
import assert from "node:assert/strict";
import { EventLog, KEPT } from "../../lib/progress/event_log.ts";
import type { FerryEvent } from "../../lib/progress/resource.ts";

const never = new AbortController().signal;

/** A log whose numbers are known. */
function attached(): EventLog {
  const log = new EventLog();
  log.attach(null);
  return log;
}

/** A store that keeps what it is given, as the state's table does: a number that is there is refused. */
class Table {
  readonly rows = new Map<number, FerryEvent>();

  constructor(texts: readonly string[] = []) {
    texts.forEach((text, i) => this.rows.set(i + 1, event(i + 1, text)));
  }

  // deno-lint-ignore require-await
  async save(events: readonly FerryEvent[]): Promise<void> {
    for (const e of events) assert(!this.rows.has(e.id), `${e.id} is there`);
    for (const e of events) this.rows.set(e.id, e);
  }

  get texts(): string[] {
    return [...this.rows.values()].sort((a, b) => a.id - b.id).map((e) => e.data.text);
  }
}

function event(id: number, text: string): FerryEvent {
  const ends = ["done", "failed", "cancelled"].find((end) => text.startsWith(end));
  return { id, type: (ends ?? "log") as "log", data: { text } };
}

function add(log: EventLog, ...texts: string[]): void {
  for (const text of texts) log.add(event(0, text).type, { text });
}

/** Reads on, and tells what has come so far. */
function reader(log: EventLog, after = 0) {
  const got: [number, string][] = [];
  const ended = (async () => {
    for await (const e of log.read(after, never)) got.push([e.id, e.data.text]);
  })();
  return { got, ended };
}

/** Fails where it takes longer than a reader that has its end needs. */
async function soon(what: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise((_, reject) => timer = setTimeout(() => reject(new Error("it waits")), 2000));
  await Promise.race([what, late]).finally(() => clearTimeout(timer));
}

const turns = () => new Promise((r) => setTimeout(r, 10));

Deno.test("the last events are told the oldest first, without progress, each with its time", async () => {
  const log = attached();
  const before = Date.now();
  for (const text of ["one", "two", "three"]) log.add("log", { text });
  log.add("progress", { text: "half" });
  log.add("state", { text: "four" });
  await log.settled();
  assert.deepEqual(log.last(3).map((e) => [e.id, e.data.text]), [[2, "two"], [3, "three"], [5, "four"]]);
  assert.equal(log.last(50).length, 4);
  for (const { data } of log.last(50)) {
    const at = Date.parse(data.at!);
    assert(at >= before && at <= Date.now(), `${data.at}`);
  }
  await log.close();
});

Deno.test("events wait for their numbers until it is known which ones others have given", async () => {
  const log = new EventLog();
  const table = new Table(["theirs", "theirs too"]);
  add(log, "early");
  const { got } = reader(log);
  await turns();
  assert.deepEqual(got, []);
  log.load([...table.rows.values()], false);
  await turns();
  assert.deepEqual(got, [[1, "theirs"], [2, "theirs too"]]);
  log.attach(table);
  add(log, "later");
  await log.settled();
  await turns();
  assert.deepEqual(got.slice(2), [[3, "early"], [4, "later"]]);
  assert.deepEqual(table.texts, ["theirs", "theirs too", "early", "later"]);
  await log.close();
});

Deno.test("an end is told at once though the state cannot be read, and is numbered anew when it can", async () => {
  const log = new EventLog();
  add(log, "trying", "failed: the target is away");
  const first = reader(log);
  await soon(first.ended);
  assert.deepEqual(first.got, [[1, "trying"], [2, "failed: the target is away"]]);
  // Somebody asks to try again, and now the state answers.
  const table = new Table(["theirs", "theirs too", "and a third"]);
  log.goOn();
  log.load([...table.rows.values()], false);
  log.attach(table);
  add(log, "copying", "done");
  await log.settled();
  assert.deepEqual(
    table.texts,
    ["theirs", "theirs too", "and a third", "trying", "failed: the target is away", "copying", "done"],
  );
  const second = reader(log, 2);
  await soon(second.ended);
  assert.deepEqual(second.got.map(([id]) => id), [3, 4, 5, 6, 7]);
  await log.close();
});

Deno.test("a reader that waits is told what another process has stored, and ends with the ferry", async () => {
  const log = new EventLog();
  const { got, ended } = reader(log);
  await turns();
  log.load([event(1, "theirs")], false);
  await turns();
  assert.deepEqual(got, [[1, "theirs"]]);
  log.load([event(2, "done")], true);
  await soon(ended);
  assert.deepEqual(got, [[1, "theirs"], [2, "done"]]);
  const late = reader(log, 2);
  await soon(late.ended);
  await log.close();
});

Deno.test("a reader of a ferry that is tried again does not end with the failure before", async () => {
  const log = attached();
  add(log, "failed");
  await log.settled();
  const { got: before, ended: over } = reader(log);
  await soon(over);
  log.goOn();
  const { got, ended } = reader(log);
  const behind = reader(log, 1);
  await turns();
  add(log, "copying", "done");
  await soon(Promise.all([ended, behind.ended]));
  assert.deepEqual(before, [[1, "failed"]]);
  assert.deepEqual(got, [[1, "failed"], [2, "copying"], [3, "done"]]);
  assert.deepEqual(behind.got, [[2, "copying"], [3, "done"]]);
  await log.close();
});

Deno.test("who asks for more than there is misses nothing of what comes, nor the end", async () => {
  const log = attached();
  add(log, "a", "b");
  await log.settled();
  const { got, ended } = reader(log, 999);
  add(log, "c", "done");
  await soon(ended);
  assert.deepEqual(got, [[3, "c"], [4, "done"]]);
  const late = reader(log, 999);
  await soon(late.ended);
  assert.deepEqual(late.got, []);
});

Deno.test("what was not stored gives its number to what another process has stored", async () => {
  const log = attached();
  const table = new Table(["mine"]);
  log.load([...table.rows.values()], false);
  log.detach(); // the lease is given up
  add(log, "told by me alone");
  await log.settled();
  assert.equal(log.lastId, 2);
  log.load([event(2, "theirs"), event(3, "theirs too")], false);
  assert.deepEqual(log.last(9).map((e) => e.data.text), ["mine", "theirs", "theirs too"]);
  await log.close();
});

Deno.test("events that memory holds no more are read from the state, page by page", async () => {
  const log = attached();
  const table = new Table();
  log.attach(table);
  const all = Array.from({ length: KEPT + 700 }, (_, i) => `event ${i + 1}`);
  for (const text of all) add(log, text);
  add(log, "done");
  await log.settled();
  const pages: number[] = [];
  const older = (after: number, limit: number) => {
    pages.push(after);
    const rows = [...table.rows.values()].filter((e) => e.id > after).slice(0, limit);
    return Promise.resolve(rows);
  };
  const texts: string[] = [];
  for await (const e of log.read(3, never, older)) texts.push(e.data.text);
  assert.deepEqual(texts, [...all.slice(3), "done"]);
  assert(pages.length > 3 && pages[0] === 3, `${pages}`);
  // A reader that may not ask the state gets what there is.
  const { got, ended } = reader(log, 3);
  await soon(ended);
  assert.equal(got.length, KEPT);
  await log.close();
});

Deno.test("of a long story the last part is loaded, and the rest stays to be read", async () => {
  const log = new EventLog();
  const last = Array.from({ length: KEPT }, (_, i) => event(501 + i, `event ${501 + i}`));
  log.load(last, false);
  const asked: number[] = [];
  const older = (after: number) => {
    asked.push(after);
    return Promise.resolve([event(499, "event 499"), event(500, "event 500")].filter((e) => e.id > after));
  };
  const stop = new AbortController();
  const ids: number[] = [];
  for await (const e of log.read(0, stop.signal, older)) {
    ids.push(e.id);
    if (e.id === 1500) stop.abort();
  }
  assert.deepEqual([ids[0], ids[1], ids[2], ids.length], [499, 500, 501, KEPT + 2]);
  assert.deepEqual(asked, [0]);
  await log.close();
});

Deno.test("an event that is added in the very turn in which the others are through is shown", async () => {
  // Some number of turns behind a save lies between the last look at the queue and the end of the pump.
  for (let turns = 0; turns < 20; turns++) {
    const log = attached();
    add(log, "one");
    for (let i = 0; i < turns; i++) await Promise.resolve();
    add(log, "done");
    const { got, ended } = reader(log);
    await soon(ended);
    assert.deepEqual(got, [[1, "one"], [2, "done"]], `${turns} turns`);
    await log.close();
  }
});

Deno.test("nothing is shown under a number that another process gives once the lease is lost", async () => {
  const log = new EventLog();
  log.load([], false);
  log.attach({ save: () => Promise.reject(Object.assign(new Error("lost"), { code: "lease-lost" })) });
  log.add("log", { text: "mine" });
  await log.settled();
  assert.deepEqual(log.last(9), []);
  log.load([{ id: 1, type: "log", data: { text: "theirs" } }], false);
  log.attach(null);
  log.add("log", { text: "mine again" });
  await log.settled();
  assert.deepEqual(log.last(9).map((e) => [e.id, e.data.text]), [[1, "theirs"], [2, "mine again"]]);
  await log.close();
});
