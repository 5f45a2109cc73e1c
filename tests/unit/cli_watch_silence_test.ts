/** `watch` on connections that are open, and on which little or nothing comes. */
import assert from "node:assert/strict";
import { openView, type ViewFlags } from "../../lib/cli/progress_view.ts";
import { watchFerry } from "../../lib/cli/watch.ts";
import { event, fakeTerminal, settle } from "./cli_watch_setup.ts";
import { resourceOf } from "./routes_fake_dock.ts";

/** A server of its own port: each connection to the events gets what one of `streams` writes, the rest nothing at all. */
function silentAfter(...streams: ((write: (text: string) => void, close: () => void) => void)[]) {
  const asked: (string | null)[] = [];
  const { promise: over, resolve: end } = Promise.withResolvers<Response>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (!request.url.endsWith("/events")) return Response.json(resourceOf("a", { state: "done" }));
    asked.push(request.headers.get("last-event-id"));
    const stream = streams.shift();
    // Not even an answer.
    if (stream === undefined) return over;
    return new Response(
      new ReadableStream<Uint8Array>({
        start: (controller) =>
          stream(
            (text) => controller.enqueue(new TextEncoder().encode(text)),
            () => controller.close(),
          ),
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  });
  return {
    asked,
    url: `http://127.0.0.1:${server.addr.port}/v1/ferries/a`,
    async [Symbol.asyncDispose]() {
      end(new Response());
      await server.shutdown();
    },
  };
}

function watchSilent(
  url: string,
  silentMs: number,
  giveUpMs: number,
  flags: ViewFlags = { json: true, intervalSeconds: 5 },
) {
  const { said, terminal } = fakeTerminal();
  const view = openView(flags, terminal);
  // A watch that hangs ends the test by this signal's number.
  const stop = new AbortController();
  const hung = setTimeout(() => stop.abort(1), 10_000);
  const code = watchFerry({ url, token: null, view, terminal, stop: stop.signal, silentMs, giveUpMs })
    .finally(() => clearTimeout(hung));
  return { code, said };
}

Deno.test("a connection on which nothing comes any more is lost, and taken up behind the last event", async () => {
  await using server = silentAfter(
    (write) => write(`retry: 1\n\n${event(1, "state")}`),
    (write, close) => {
      write(event(2, "done"));
      close();
    },
  );
  const { code, said } = watchSilent(server.url, 300, 5000);
  assert.equal(await code, 0);
  assert.deepEqual(server.asked, [null, "1"]);
  assert.match(said.err, /Lost the server, coming back to it: it has fallen silent/);
});

Deno.test("a server that stays silent, with connections open, is a reason to try again later", async () => {
  await using server = silentAfter((write) => write(`retry: 1\n\n${event(1, "state")}`));
  const { code, said } = watchSilent(server.url, 200, 500);
  assert.equal(await code, 75);
  assert.match(said.err, /no word for/);
  assert.ok(server.asked.length > 1, "it came back before it gave up");
});

Deno.test("comments are word enough: a connection that carries them is kept", async () => {
  let ticking: ReturnType<typeof setInterval> | undefined;
  await using server = silentAfter((write, close) => {
    let left = 12;
    write(`retry: 1\n\n${event(1, "state")}`);
    ticking = setInterval(() => {
      if (--left > 0) return write(": \n\n");
      write(event(2, "done"));
      close();
      clearInterval(ticking);
    }, 100);
  });
  const { code, said } = watchSilent(server.url, 800, 900);
  assert.equal(await code, 0);
  clearInterval(ticking);
  assert.equal(server.asked.length, 1);
  assert.doesNotMatch(said.err, /Lost/);
});

Deno.test("status blocks come by the clock: the events need not say a word for each", async () => {
  const said = Promise.withResolvers<(text: string) => void>();
  await using server = silentAfter((write, close) => {
    write(`retry: 1\n\n${event(1, "state")}`);
    said.resolve((text) => {
      write(text);
      close();
    });
  });
  const watching = watchSilent(server.url, 8000, 8000, { json: false, intervalSeconds: 0.05 });
  const end = await said.promise;
  const blocks = () => watching.said.err.match(/^ferry a: /gm)?.length ?? 0;
  for (let i = 0; i < 200 && blocks() < 3; i++) await settle(20);
  assert(blocks() >= 3, watching.said.err);
  end(event(2, "done"));
  assert.equal(await watching.code, 0);
});

Deno.test("snapshots that are answered keep no connection on which no event comes any more", async () => {
  await using server = silentAfter(
    (write) => write(`retry: 1\n\n${event(1, "state")}`),
    (write, close) => {
      write(event(2, "done"));
      close();
    },
  );
  const { code, said } = watchSilent(server.url, 300, 5000, { json: false, intervalSeconds: 0.02 });
  assert.equal(await code, 0);
  assert.deepEqual(server.asked, [null, "1"]);
  assert.match(said.err, /Lost the server, coming back to it: it has fallen silent/);
});

Deno.test("a snapshot that the server refuses ends watch, though events come", async () => {
  const refusing = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    if (!request.url.endsWith("/events")) return new Response(null, { status: 404 });
    const open = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(event(1, "state"))),
    });
    return new Response(open, { headers: { "content-type": "text/event-stream" } });
  });
  const { code, said } = watchSilent(`http://127.0.0.1:${refusing.addr.port}/v1/ferries/a`, 8000, 8000);
  assert.equal(await code, 2);
  assert.match(said.err, /no such ferry/);
  await refusing.shutdown();
});
