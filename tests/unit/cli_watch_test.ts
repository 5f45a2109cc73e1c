import assert from "node:assert/strict";
import { openView } from "../../lib/cli/progress_view.ts";
import { ferryUrl, watchFerry } from "../../lib/cli/watch.ts";
import { startService } from "../../routes/service.ts";
import { readSettings, type Settings } from "../../lib/spec/settings.ts";
import { parseSpec } from "../../lib/spec/parse_spec.ts";
import { event, fakeTerminal, settle } from "./cli_watch_setup.ts";
import { FakeDock, type FakeFerry, resourceOf, SPEC } from "./routes_fake_dock.ts";

function settingsOf(environment: Record<string, string> = {}): Settings {
  const reading = readSettings({ PORT: "0", ...environment });
  assert("settings" in reading);
  return reading.settings;
}

async function dockWithFerry() {
  const dock = new FakeDock();
  const reading = parseSpec({ ...SPEC, id: "a" }, new Map());
  assert("spec" in reading);
  const ferry: FakeFerry = await dock.start(reading.spec);
  return { dock, ferry };
}

Deno.test("any address of a ferry leads to its resource", () => {
  const wanted = "http://h:8080/v1/ferries/a";
  for (const path of ["/v1/ferries/a", "/v1/ferries/a/events", "/ferries/a", "/v1/ferries/a/"]) {
    assert.equal(ferryUrl(`http://h:8080${path}`), wanted);
  }
  assert.equal(ferryUrl("https://h/db/v1/ferries/a?x=1"), "https://h/db/v1/ferries/a");
  for (const text of ["h:8080", "ftp://h/v1/ferries/a", "http://h/", "http://h/v1/ferries"]) {
    assert.equal(ferryUrl(text), null, text);
  }
});

Deno.test("watch follows a real service to the end and prints the resource", async () => {
  const { dock, ferry } = await dockWithFerry();
  const service = startService({ dock, settings: settingsOf({ FERRY_TOKEN: "sesame" }), version: "1" });
  const { said, terminal } = fakeTerminal();
  const watching = watchFerry({
    url: `http://127.0.0.1:${service.port}/v1/ferries/a`,
    token: "sesame",
    view: openView({ json: false, intervalSeconds: 0.001 }, terminal),
    terminal,
    stop: new AbortController().signal,
  });
  // A block needs an answer of its own, which a busy machine takes a while for.
  for (let i = 0; !said.err.includes("ferry a: "); i++) {
    assert(i < 200, said.err);
    if (i % 20 === 0) ferry.say("progress", "half");
    await settle(20);
  }
  ferry.go("failed", { error: { code: "verification-failed", detail: "d", hint: null, retryable: false } });
  assert.equal(await watching, 3);
  assert.equal(JSON.parse(said.out).state, "failed");
  assert.match(said.err, /Now preflight\n/);
  assert.match(said.err, /ferry a: Looking at src\.example:3307 and dst\.example\n/);
  assert.match(said.err, /Now failed\nferry a: Stopped: d\n[^]* error {3}verification-failed: d\n/);
  await service.stop();
});

Deno.test("watch without the token, of an unknown ferry or of no URL is wrong usage", async () => {
  const { dock } = await dockWithFerry();
  const service = startService({ dock, settings: settingsOf({ FERRY_TOKEN: "sesame" }), version: "1" });
  const at = `http://127.0.0.1:${service.port}`;
  const cases: readonly (readonly [string, string | null, RegExp])[] = [
    [`${at}/v1/ferries/a`, null, /FERRY_TOKEN/],
    [`${at}/v1/ferries/b`, "sesame", /no such ferry/],
    ["nowhere", null, /URL like/],
  ];
  for (const [url, token, told] of cases) {
    const { said, terminal } = fakeTerminal();
    const view = openView({ json: true, intervalSeconds: 5 }, terminal);
    assert.equal(await watchFerry({ url, token, view, terminal, stop: new AbortController().signal }), 2);
    assert.match(said.err, told);
    assert.equal(JSON.parse(said.err).event, "error");
  }
  await service.stop();
});

/** A server of canned answers: each is a stream's text, or a status. */
function canned(answers: (string | number)[], state: "done" | "copying" = "done") {
  const asked: (string | null)[] = [];
  const fetch = (url: string, init: RequestInit): Promise<Response> => {
    if (!url.endsWith("/events")) return Promise.resolve(Response.json(resourceOf("a", { state })));
    asked.push(new Headers(init.headers).get("last-event-id"));
    const answer = answers.shift();
    if (answer === undefined) return Promise.reject(new TypeError("connection refused"));
    return Promise.resolve(
      typeof answer === "string" ? new Response(answer) : new Response(null, { status: answer }),
    );
  };
  return { asked, fetch };
}

function watchCanned(fetch: (url: string, init: RequestInit) => Promise<Response>, giveUpMs = 5000) {
  const { said, terminal } = fakeTerminal();
  const controller = new AbortController();
  const view = openView({ json: true, intervalSeconds: 5 }, terminal);
  const url = "http://h/v1/ferries/a";
  const code = watchFerry({ url, token: null, view, terminal, stop: controller.signal, fetch, giveUpMs });
  return { code, said, controller };
}

Deno.test("a lost stream is taken up behind the last event; a farewell without id moves nothing", async () => {
  const { asked, fetch } = canned([
    `retry: 1\n\n${event(1, "state")}${event(2, "state")}event: log\ndata: {"text":"bye"}\n\n`,
    503,
    503,
    `: \n\n${event(3, "log")}${event(4, "done")}`,
  ]);
  const { code, said } = watchCanned(fetch);
  assert.equal(await code, 0);
  assert.deepEqual(asked, [null, "2", "2", "2"]);
  const told = said.err.trim().split("\n").map((line) => JSON.parse(line).text);
  const lost = "Lost the server, coming back to it: the server answered 503";
  assert.deepEqual(told, ["state 1", "state 2", "bye", lost, "log 3", "done 4"]);
});

Deno.test("204 means that it has ended", async () => {
  assert.equal(await watchCanned(canned([204]).fetch).code, 0);
});

Deno.test("a failed ferry that was sent on its way again is followed on", async () => {
  const { asked, fetch } = canned([`retry: 1\n\n${event(2, "failed")}`, event(9, "done")]);
  let reads = 0;
  const { code } = watchCanned((url, init) => {
    if (url.endsWith("/events")) return fetch(url, init);
    reads++;
    return Promise.resolve(Response.json(resourceOf("a", { state: reads < 2 ? "copying" : "done" })));
  });
  assert.equal(await code, 0);
  assert.deepEqual(asked, [null, "2"]);
});

Deno.test("a server that says nothing for too long is a reason to try again later", async () => {
  const { fetch } = canned(["retry: 1\n\n"]);
  const { code, said } = watchCanned(fetch, 20);
  assert.equal(await code, 75);
  assert.match(said.err, /no word for/);
});

Deno.test("a signal ends watch with its number, also while it waits to come back", async () => {
  const { fetch } = canned(["retry: 60000\n\n"]);
  const { code, controller } = watchCanned(fetch);
  await settle();
  controller.abort(130);
  assert.equal(await code, 130);
});

Deno.test("a service takes up what was left, and stops in order: no work, dock closed, streams ended, port free", async () => {
  const { dock } = await dockWithFerry();
  const settings = settingsOf({ FERRY_CONNECTION_EU: "mysql://u:p@eu" });
  const service = startService({ dock, settings, version: "1" });
  const at = `http://127.0.0.1:${service.port}`;
  assert.deepEqual(dock.tookUp, [settings.connections]);
  const closing = Promise.withResolvers<void>();
  const close = dock.close.bind(dock);
  dock.close = async () => {
    await closing.promise;
    await close();
  };
  const events = (await fetch(`${at}/v1/ferries/a/events`)).text();
  const stopping = service.stop();
  assert.equal(service.stop(), stopping);
  assert.equal((await discard(fetch(`${at}/readyz`))).status, 503);
  assert.equal((await discard(fetch(`${at}/v1/ferries/a`))).status, 200);
  closing.resolve();
  await stopping;
  assert.match(await events, /"code":"draining"/);
  await assert.rejects(fetch(`${at}/healthz`));
});

Deno.test("a stream whose ferry does not end it is ended when the service stops", async () => {
  const { dock, ferry } = await dockWithFerry();
  // deno-lint-ignore require-yield
  ferry.events = async function* (_after, signal) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  };
  const service = startService({ dock, settings: settingsOf(), version: "1", graceMs: 2000 });
  const events = (await fetch(`http://127.0.0.1:${service.port}/v1/ferries/a/events`)).text();
  const started = performance.now();
  await service.stop();
  assert(performance.now() - started < 1500);
  assert.match(await events, /"code":"draining"/);
});

Deno.test("a client that reads nothing does not keep the service from stopping", async () => {
  const { dock, ferry } = await dockWithFerry();
  ferry.events = async function* (_after, signal) {
    for (let id = 1; !signal.aborted; id++) {
      yield { id, type: "log" as const, data: { text: "x".repeat(100_000) } };
      await Promise.resolve();
    }
  };
  const service = startService({ dock, settings: settingsOf(), version: "1", graceMs: 200 });
  const client = await Deno.connect({ port: service.port });
  await client.write(
    new TextEncoder().encode("GET /v1/ferries/a/events HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  );
  await settle(200);
  const started = performance.now();
  await service.stop();
  assert(performance.now() - started < 3000);
  client.close();
  await service.finished;
});

async function discard(asked: Promise<Response>): Promise<Response> {
  const response = await asked;
  await response.body?.cancel();
  return response;
}
