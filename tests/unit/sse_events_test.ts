import assert from "node:assert/strict";
import { configureLog } from "../../lib/log.ts";
import { createApp } from "../../routes/app.ts";
import { Drain } from "../../routes/drain.ts";
import { FakeDock, type FakeFerry, SPEC } from "./routes_fake_dock.ts";

async function setUp(heartbeatMs = 15_000) {
  const dock = new FakeDock();
  const drain = new Drain();
  const app = createApp({ dock, drain, heartbeatMs, settings: { token: null, connections: new Map() } });
  const post = (headers: Record<string, string> = {}) =>
    app.request("/v1/ferries", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ ...SPEC, id: "a" }),
    }) as Promise<Response>;
  await (await post()).body?.cancel();
  const ferry = dock.find("a") as FakeFerry;
  const get = (query = "", headers: Record<string, string> = {}) =>
    app.request(`/v1/ferries/a/events${query}`, { headers }) as Promise<Response>;
  return { app, dock, drain, ferry, get, post };
}

const idsOf = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map((found) => Number(found[1]));

/** Reads messages one by one. */
function reader(response: Response) {
  const chunks = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())
    .getReader();
  return {
    next: async () => (await chunks.read()).value,
    cancel: () => chunks.cancel(),
  };
}

const settle = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test("a stream opens with retry, gives each event its id, name and one line of JSON, and closes after the last", async () => {
  const { ferry, get } = await setUp();
  ferry.say("log", "two\nlines");
  ferry.say("progress", "half");
  ferry.go("done");
  const response = await get();
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  assert.equal(response.headers.get("cache-control"), "no-cache, no-transform");
  assert.equal(
    await response.text(),
    "retry: 2000\n\n" +
      'event: state\ndata: {"text":"Now preflight"}\nid: 1\n\n' +
      'event: log\ndata: {"text":"two\\nlines"}\nid: 2\n\n' +
      'event: progress\ndata: {"text":"half"}\nid: 3\n\n' +
      'event: done\ndata: {"text":"Now done"}\nid: 4\n\n',
  );
  assert.equal(ferry.open, 0);
});

Deno.test("live events follow stored ones in the same stream", async () => {
  const { ferry, get } = await setUp();
  const events = reader(await get());
  assert.equal(await events.next(), "retry: 2000\n\n");
  assert.match(String(await events.next()), /^event: state/);
  const pending = events.next();
  ferry.say("log", "now");
  assert.match(String(await pending), /"now"/);
  ferry.go("failed");
  assert.match(String(await events.next()), /^event: failed/);
  assert.equal(await events.next(), undefined);
});

Deno.test("Last-Event-ID and ?after replay what was missed, and the header wins", async () => {
  const { ferry, get } = await setUp();
  for (let n = 2; n <= 4; n++) ferry.say("log", `${n}`);
  ferry.go("done");
  assert.deepEqual(idsOf(await (await get("?after=2")).text()), [3, 4, 5]);
  assert.deepEqual(idsOf(await (await get("", { "last-event-id": "3" })).text()), [4, 5]);
  assert.deepEqual(idsOf(await (await get("?after=1", { "last-event-id": "4" })).text()), [5]);
});

Deno.test("an empty Last-Event-ID is none: all is sent, or what ?after says", async () => {
  const { ferry, get, post } = await setUp();
  ferry.say("log", "2");
  ferry.go("done");
  const empty = { "last-event-id": "" };
  assert.deepEqual(idsOf(await (await get("", empty)).text()), [1, 2, 3]);
  assert.deepEqual(idsOf(await (await get("?after=2", empty)).text()), [3]);
  const posted = await post({ ...empty, accept: "text/event-stream" });
  assert.deepEqual(idsOf(await posted.text()), [1, 2, 3]);
});

Deno.test("a reconnect after the end gets 204", async () => {
  const { ferry, get } = await setUp();
  ferry.go("cancelled");
  for (
    const response of [await get("", { "last-event-id": "2" }), await get("?after=2"), await get("?after=99")]
  ) {
    assert.equal(response.status, 204);
    assert.equal(await response.text(), "");
  }
  assert.equal((await (await get("?after=1")).text()).includes("event: cancelled"), true);
  assert.equal(ferry.open, 0);
});

Deno.test("a place to go on from that is no number is refused", async () => {
  const { get } = await setUp();
  for (
    const response of [await get("?after=x"), await get("", { "last-event-id": "-1" }), await get("?since=1")]
  ) {
    assert.equal(response.status, 422);
    assert.equal((await response.json()).code, "invalid-parameter");
  }
});

Deno.test("a POST that accepts events gets the ferry's stream, and the ferry outlives it", async () => {
  const { dock, ferry, post } = await setUp();
  const response = await post({ accept: "text/event-stream" });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("location"), "/v1/ferries/a");
  const events = reader(response);
  await events.next();
  await events.cancel();
  await settle();
  assert.equal(ferry.open, 0);
  assert.equal(dock.closed, false);
  ferry.go("done");
  assert.deepEqual(idsOf(await (await post({ accept: "text/event-stream" })).text()), [1, 2]);
  assert.equal((await post({ accept: "application/json, text/event-stream;q=0.5" })).status, 202);
});

Deno.test("a silent stream carries comments", async () => {
  const { ferry, get } = await setUp(10);
  const response = await get("?after=1");
  setTimeout(() => ferry.go("done"), 60);
  const comments = (await response.text()).split("\n\n").filter((message) => message.startsWith(":"));
  assert(comments.length >= 3, `${comments.length} comments`);
});

Deno.test("a client that goes takes its stream with it", async () => {
  const { ferry, get } = await setUp();
  const events = reader(await get());
  await events.next();
  await events.next();
  assert.equal(ferry.open, 1);
  await events.cancel();
  await settle();
  assert.equal(ferry.open, 0);
});

Deno.test("a reader that reads nothing holds back the ferry's events and gets no comments on top", async () => {
  const { ferry, get } = await setUp(5);
  let asked = 0;
  ferry.events = async function* () {
    while (asked < 10_000) {
      asked++;
      yield { id: asked, type: "log" as const, data: { text: "x".repeat(1000) } };
      await Promise.resolve();
    }
  };
  const response = await get();
  await settle(60);
  assert(asked < 10, `${asked} events were taken out of the ferry for a reader that took none`);
  const events = reader(response);
  let comments = 0;
  for (let n = 0; n < 15; n++) if ((await events.next())?.startsWith(":")) comments++;
  assert(comments <= 1, `${comments} comments were waiting`);
  await events.cancel();
});

Deno.test("when the dock closes, a stream ends with a last event that moves no id", async () => {
  const { dock, drain, ferry, get } = await setUp();
  const response = await get();
  const text = response.text();
  await settle();
  drain.stopWork();
  await settle();
  ferry.say("log", "committed");
  await settle();
  await dock.close();
  const messages = (await text).trim().split("\n\n");
  assert.match(String(messages.at(-2)), /"committed"/);
  assert.match(
    String(messages.at(-1)),
    /^event: log\ndata: \{"text":"The service is stopping.*"code":"draining"/,
  );
  assert.doesNotMatch(String(messages.at(-1)), /^id:/m);
});

Deno.test("when streams are to end they do, whatever the ferry does", async () => {
  const { drain, ferry, get } = await setUp();
  const text = (await get()).text();
  await settle();
  drain.endStreams();
  assert.match(await text, /"code":"draining"/);
  await settle();
  assert.equal(ferry.open, 0);
});

Deno.test("a ferry that another process took ends its stream with a word of it, and the client may come back", async () => {
  const { ferry, get } = await setUp();
  const text = (await get()).text();
  ferry.close();
  assert.match(await text, /event: log\ndata: .*"code":"let-go"/);
});

Deno.test("a failure in the middle of a stream is logged with its ferry and not shown to the reader", async () => {
  const { ferry, get } = await setUp();
  let lines = "";
  configureLog({ format: "json", write: (line) => lines += line });
  // deno-lint-ignore require-yield
  ferry.events = async function* () {
    throw new Error("secret of the driver");
  };
  assert.equal(await (await get()).text(), "retry: 2000\n\n");
  const logged = JSON.parse(lines.trim().split("\n").at(-1) ?? "");
  assert.equal(logged.ferry, "a");
  assert.match(logged.message, /secret of the driver/);
});

Deno.test("HEAD asks for no events", async () => {
  const { app, ferry } = await setUp();
  const response = await app.request("/v1/ferries/a/events", { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  await settle();
  assert.equal(ferry.open, 0);
});
