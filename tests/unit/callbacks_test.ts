/**
 * Callbacks: signed, in order, tried again where that helps, and never in the way.
 * @module
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { configureLog } from "../../lib/log.ts";
import { Callbacks, signature } from "../../lib/progress/callbacks.ts";
import { isLinkLocal } from "../../lib/progress/link_local.ts";
import { EventLog } from "../../lib/progress/event_log.ts";
import type { FerryEvent } from "../../lib/progress/resource.ts";

interface Post {
  path: string;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any
  body: any;
}

/** A receiver that answers what `answer` says of the n-th post. */
function receiver(answer: (n: number) => number | Promise<number> = () => 200) {
  const posts: Post[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const text = await request.text();
    posts.push({
      path: new URL(request.url).pathname,
      headers: request.headers,
      text,
      body: JSON.parse(text),
    });
    const status = await answer(posts.length);
    return new Response(null, { status, headers: status === 302 ? { location: "/elsewhere" } : {} });
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const urls = { state: `${url}/state`, progress: `${url}/progress`, error: `${url}/error` };
  return { posts, urls, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function* some(...types: FerryEvent["type"][]): AsyncGenerator<FerryEvent> {
  for (const [i, type] of types.entries()) yield { id: i + 1, type, data: { text: `event ${i + 1}` } };
}

const never = new AbortController().signal;
const OPEN = { secret: null, linkLocal: false };

Deno.test("each kind goes where it is wanted, signed with its time", async () => {
  await using r = receiver();
  const callbacks = new Callbacks("orders", r.urls, { secret: "hush", linkLocal: false });
  await callbacks.follow(() => some("state", "log", "progress", "failed"), never);
  const to = (path: string) => r.posts.filter((p) => p.path === path).map((p) => p.body.event);
  assert.deepEqual([to("/state"), to("/progress"), to("/error")], [[1, 4], [3], [4]]);
  const first = r.posts.find((p) => p.path === "/state")!;
  assert.deepEqual(first.body, { ferry: "orders", event: 1, type: "state", text: "event 1" });
  for (const { headers, text } of r.posts) {
    const time = headers.get("chainferry-timestamp")!;
    assert(Math.abs(Number(time) - Date.now() / 1000) < 60);
    assert.equal(headers.get("chainferry-signature"), await signature("hush", `${time}.${text}`));
  }
  // RFC 4231, test case 2
  assert.equal(
    await signature("Jefe", "what do ya want for nothing?"),
    "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

Deno.test("what passes is tried again, what is refused is not, and the next event follows", async () => {
  await using r = receiver((n) => n < 3 ? 503 : n === 4 ? 400 : 200);
  const urls = { ...r.urls, progress: null, error: null };
  await new Callbacks("a", urls, OPEN, 1).follow(() => some("state", "state", "done"), never);
  assert.deepEqual(r.posts.map((p) => p.body.event), [1, 1, 1, 2, 3]);
  assert.equal(r.posts[0].headers.get("chainferry-signature"), null);
});

Deno.test("a receiver that is away costs its event and nothing else", async () => {
  await using r = receiver();
  const urls = { state: r.urls.state, progress: "http://127.0.0.1:9/gone", error: null };
  await new Callbacks("a", urls, OPEN, 1).follow(() => some("progress", "done"), never);
  assert.deepEqual(r.posts.map((p) => p.body.event), [2]);
});

Deno.test("a slow receiver gets the latest progress, and the log does not wait for it", async () => {
  const gate = Promise.withResolvers<number>();
  await using r = receiver((n) => n === 1 ? gate.promise : 200);
  const log = new EventLog();
  log.attach(null);
  const urls = { state: r.urls.state, progress: r.urls.state, error: null };
  const following = new Callbacks("a", urls, OPEN).follow(() => log.read(0, never), never);
  for (let i = 1; i <= 50; i++) {
    log.add("progress", { text: `${i}` });
    await log.settled();
  }
  while (r.posts.length === 0) await new Promise((done) => setTimeout(done, 5));
  log.add("progress", { text: "51" });
  log.add("done", { text: "over" });
  await log.settled();
  gate.resolve(200);
  await following;
  const texts = r.posts.map((p) => p.body.text);
  assert(texts.length <= 4, `${texts}`);
  assert.deepEqual(texts.slice(-2), ["51", "over"]);
});

Deno.test("link-local addresses are known in every form", () => {
  for (
    const address of [
      "169.254.169.254",
      "fe80::1",
      "FEBF::2",
      "fe80::1%eth0",
      "::ffff:169.254.1.1",
      "::ffff:a9fe:a9fe",
      "0:0:0:0:0:ffff:a9fe:1",
      "::a9fe:a9fe",
      "::ffff:0:a9fe:a9fe",
      "64:ff9b::169.254.169.254",
      "64:ff9b:1::a9fe:a9fe",
      "2002:a9fe:a9fe::1",
      "no address",
    ]
  ) assert(isLinkLocal(address), address);
  for (
    const address of [
      "127.0.0.1",
      "10.0.0.1",
      "169.253.0.1",
      "fec0::1",
      "::1",
      "::ffff:10.0.0.1",
      "64:ff9b::10.0.0.1",
      "2002:a00:1::a9fe:a9fe",
      "2001:db8::a9fe:a9fe",
    ]
  ) assert(!isLinkLocal(address), address);
});

Deno.test("a name is looked up once for each post, and the post goes where it was looked up to be", async () => {
  await using r = receiver();
  const { port } = new URL(r.urls.state);
  const asked: string[] = [];
  // The second answer is that of a name server that has got past the first question.
  const resolve = (host: string) => {
    asked.push(host);
    return Promise.resolve([{ address: asked.length === 1 ? "127.0.0.1" : "169.254.169.254" }]);
  };
  const urls = { state: `http://hooks.example:${port}/state`, progress: null, error: null };
  await new Callbacks("a", urls, OPEN, 1, resolve).follow(() => some("state", "done"), never);
  assert.deepEqual(asked, ["hooks.example", "hooks.example"]);
  assert.deepEqual(r.posts.map((p) => p.headers.get("host")), [`hooks.example:${port}`]);
});

Deno.test("a URL that does not answer costs no other its posts", async () => {
  const gate = Promise.withResolvers<number>();
  await using r = receiver();
  await using dead = receiver(() => gate.promise);
  const stop = new AbortController();
  const urls = { state: dead.urls.state, progress: r.urls.progress, error: r.urls.error };
  const following = new Callbacks("a", urls, OPEN).follow(
    () => some("state", "progress", "failed"),
    stop.signal,
  );
  try {
    for (let i = 0; r.posts.length < 2; i++) {
      assert(i < 400, "both others get theirs");
      await delay(5);
    }
    assert.deepEqual(r.posts.map((p) => p.path).sort(), ["/error", "/progress"]);
    assert.deepEqual(dead.posts.map((p) => p.body.event), [1]);
  } finally {
    stop.abort();
    await following;
    gate.resolve(200);
  }
});

Deno.test("one URL for several kinds gets each event once", async () => {
  await using r = receiver();
  const { state } = r.urls;
  const urls = { state, progress: state, error: state };
  await new Callbacks("a", urls, OPEN).follow(() => some("state", "progress", "failed"), never);
  assert.deepEqual(r.posts.map((p) => p.body.event), [1, 2, 3]);
});

Deno.test("link-local addresses are not posted to, nor is a redirect followed", async () => {
  await using r = receiver(() => 302);
  const lines: string[] = [];
  configureLog({ format: "json", write: (line) => lines.push(line) });
  const urls = { state: r.urls.state, progress: "http://169.254.169.254/latest", error: null };
  await new Callbacks("a", urls, OPEN, 1).follow(() => some("progress", "done"), never);
  assert.deepEqual(r.posts.map((p) => p.path), ["/state"]);
  assert.match(lines.join(""), /Cannot post to 169\.254\.169\.254: it is a link-local address/);
  assert.match(lines.join(""), /the answer is 302/);
});

Deno.test("an abort ends the following in the middle of a try", async () => {
  const gate = Promise.withResolvers<number>();
  await using r = receiver(() => gate.promise);
  const stop = new AbortController();
  const following = new Callbacks("a", r.urls, OPEN).follow(() => some("state", "done"), stop.signal);
  while (r.posts.length === 0) await new Promise((done) => setTimeout(done, 5));
  const began = performance.now();
  stop.abort();
  await following;
  assert(performance.now() - began < 2000, "it does not wait for the try's own end");
  gate.resolve(200);
});

Deno.test("the log says what a receiver that is away was like, and nothing of its URL but the host", async () => {
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = silent.addr;
  silent.close();
  const lines: string[] = [];
  configureLog({ format: "json", write: (line) => lines.push(line) });
  // No name server is asked for a name with a part that is too long.
  const nowhere = `${"x".repeat(64)}.invalid`;
  const urls = {
    state: `http://127.0.0.1:${port}/hook/Unmistakable-path?key=Unmistakable-query`,
    progress: `http://${nowhere}/hook/Unmistakable-path`,
    error: null,
  };
  await new Callbacks("a", urls, OPEN, 1).follow(() => some("done", "progress"), never);
  await new Callbacks("a", urls, { ...OPEN, linkLocal: true }, 1).follow(() => some("progress"), never);
  const text = lines.join("");
  assert.doesNotMatch(text, /Unmistakable|hook/);
  const said = (reason: string) => text.split(`: ${reason}"`).length - 1;
  assert.match(text, new RegExp(`Cannot post event 1 to 127\\.0\\.0\\.1:${port}: ECONNREFUSED`));
  assert.equal(said("ENOTFOUND"), 2, text);
});

Deno.test("a name server that never answers is not waited for past the end", async () => {
  const asked = Promise.withResolvers<string>();
  const resolve = (host: string) => {
    asked.resolve(host);
    return new Promise<never>(() => {});
  };
  const stop = new AbortController();
  const urls = { state: "http://hooks.example/ferry", progress: null, error: null };
  const following = new Callbacks("a", urls, OPEN, 1, resolve).follow(() => some("state"), stop.signal)
    .then(() => "over");
  assert.equal(await asked.promise, "hooks.example");
  stop.abort();
  const enough = new AbortController();
  const long = delay(2000, "still waiting", { signal: enough.signal });
  assert.equal(await Promise.race([following, long]), "over");
  enough.abort();
});
