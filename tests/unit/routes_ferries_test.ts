import assert from "node:assert/strict";
import { configureLog } from "../../lib/log.ts";
import { FerryError } from "../../lib/errors.ts";
import { createApp } from "../../routes/app.ts";
import { Drain } from "../../routes/drain.ts";
import { problemSchema, resourceSchema } from "../../routes/schemas.ts";
import { FakeDock, SECRET, SPEC } from "./routes_fake_dock.ts";

const JSON_TYPE = { "content-type": "application/json" };

function setUp(token: string | null = null) {
  const dock = new FakeDock();
  const drain = new Drain();
  const settings = { token, connections: new Map([["eu", SPEC.source]]) };
  const app = createApp({ dock, drain, settings, version: "1.2.3" });
  const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    app.request(path, {
      method,
      headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }) as Promise<Response>;
  return { app, ask, dock, drain };
}

/** The problem in a response, its shape and its headers checked. */
async function problemOf(response: Response, status: number, code: string) {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert(!text.includes(SECRET), text);
  const problem = problemSchema.parse(JSON.parse(text));
  assert.equal(problem.code, code);
  assert.equal(problem.type, `/problems/${code}`);
  assert.equal(problem.status, status);
  return problem;
}

Deno.test("a posted ferry is answered with 202, its address and its resource, without its password", async () => {
  const { ask, dock } = setUp();
  const response = await ask("POST", "/v1/ferries", { ...SPEC, id: "a1" });
  assert.equal(response.status, 202);
  assert.equal(response.headers.get("location"), "/v1/ferries/a1");
  const text = await response.text();
  assert(!text.includes(SECRET));
  assert.equal(resourceSchema.parse(JSON.parse(text)).id, "a1");
  assert.equal(dock.started.length, 1);
  assert.equal((await ask("POST", "/v1/ferries", { ...SPEC, id: "a1" })).status, 202);
  assert.equal(dock.ferries.size, 1);
});

Deno.test("a spec with three faults gets 422 with three pointers, and nothing starts", async () => {
  const { ask, dock } = setUp();
  const response = await ask("POST", "/v1/ferries", { ...SPEC, tables: [], x: 1, copy: { concurrency: 0 } });
  const problem = await problemOf(response, 422, "invalid-spec");
  assert.deepEqual(problem.errors.map((each) => each.pointer).sort(), ["/copy/concurrency", "/tables", "/x"]);
  assert.equal(dock.started.length, 0);
});

Deno.test("a throttle is taken at the POST and at the PATCH, and refused where it is wrong", async () => {
  const { ask, dock } = setUp();
  assert.equal(
    (await ask("POST", "/v1/ferries", { ...SPEC, id: "a", throttle: { maxLagSeconds: 5 } })).status,
    202,
  );
  assert.equal(dock.started[0].throttle?.maxLagSeconds, 5);
  assert.equal((await ask("PATCH", "/v1/ferries/a", { throttle: { maxRowsPerSecond: 100 } })).status, 200);
  assert.equal(dock.find("a")!.changes[0].throttle?.maxRowsPerSecond, 100);
  const problem = await problemOf(
    await ask("PATCH", "/v1/ferries/a", { throttle: { maxRowsPerSecond: -1 } }),
    422,
    "invalid-spec",
  );
  assert.deepEqual(problem.errors.map((each) => each.pointer), ["/throttle/maxRowsPerSecond"]);
});

Deno.test("what is not JSON gets 400, another type 415, too much 413; none repeats the body", async () => {
  const { ask, dock } = setUp();
  await problemOf(await ask("POST", "/v1/ferries", `{"password": "${SECRET}"`), 400, "malformed-json");
  const form = { "content-type": "text/plain" };
  await problemOf(await ask("POST", "/v1/ferries", JSON.stringify(SPEC), form), 415, "not-json");
  await problemOf(await ask("POST", "/v1/ferries"), 415, "not-json");
  await problemOf(await ask("POST", "/v1/ferries", `"${"x".repeat(1_048_576)}"`), 413, "body-too-large");
  assert.equal(
    (await ask("POST", "/v1/ferries", SPEC, { "content-type": "application/json; charset=utf-8" })).status,
    202,
  );
  assert.equal(dock.started.length, 1);
});

Deno.test("an endless body without a length is cut off at the limit", async () => {
  const { app } = setUp();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(32));
    },
  });
  const response = await app.request("/v1/ferries", { method: "POST", headers: JSON_TYPE, body });
  await problemOf(response, 413, "body-too-large");
  assert(sent < 2_000_000);
});

Deno.test("a fence that is not there yet gets 501", async () => {
  const { ask, dock } = setUp();
  for (const fence of ["readOnly", "schemaReadOnly", "hook"]) {
    const response = await ask("POST", "/v1/ferries", { ...SPEC, cutover: { fence } });
    await problemOf(response, 501, "fence-not-implemented");
  }
  assert.equal(dock.started.length, 0);
});

Deno.test("the same id with another spec gets 422", async () => {
  const { ask } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  const response = await ask("POST", "/v1/ferries", { ...SPEC, id: "a", verify: "off" });
  await problemOf(response, 422, "spec-differs");
});

Deno.test("an idempotency key is one ferry, also for a service that has forgotten it", async () => {
  const { ask } = setUp();
  const key = { "idempotency-key": "ci-4711" };
  const first = await (await ask("POST", "/v1/ferries", SPEC, key)).json();
  assert.match(first.id, /^k[0-9a-f]{25}$/);
  assert.equal((await (await ask("POST", "/v1/ferries", SPEC, key)).json()).id, first.id);
  const other = setUp();
  assert.equal((await (await other.ask("POST", "/v1/ferries", SPEC, key)).json()).id, first.id);
  const second = await (await ask("POST", "/v1/ferries", SPEC, { "idempotency-key": "ci-4712" })).json();
  assert.notEqual(second.id, first.id);
});

Deno.test("a key reused with another body gets 422, from memory and from the dock", async () => {
  const { ask, dock } = setUp();
  const key = { "idempotency-key": "ci-1" };
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" }, key);
  await problemOf(
    await ask("POST", "/v1/ferries", { ...SPEC, id: "b" }, key),
    422,
    "idempotency-key-reused",
  );
  assert.equal(dock.started.length, 1);
  dock.failure = new FerryError("spec-differs", `Cannot start: it was started with another spec`);
  const forgotten = { "idempotency-key": "ci-2" };
  await problemOf(await ask("POST", "/v1/ferries", SPEC, forgotten), 422, "idempotency-key-reused");
});

Deno.test("a dry run answers with the report and starts nothing", async () => {
  const { ask, dock } = setUp();
  dock.report = {
    ok: false,
    findings: [{ level: "error", code: "no-key", subject: "shop.log", detail: "No key", hint: "Add one" }],
  };
  const response = await ask("POST", "/v1/ferries?dryRun=true", SPEC);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), dock.report);
  assert.deepEqual([dock.started.length, dock.checked.length], [0, 1]);
});

Deno.test("a mistyped or unknown parameter is refused before anything starts", async () => {
  const { ask, dock } = setUp();
  for (const query of ["dryrun=true", "dryRun=yes"]) {
    await problemOf(await ask("POST", `/v1/ferries?${query}`, SPEC), 422, "invalid-parameter");
  }
  const problem = await problemOf(await ask("GET", "/v1/ferries?state=asleep"), 422, "invalid-parameter");
  assert.equal(problem.errors[0].parameter, "state");
  assert.equal(dock.started.length, 0);
});

Deno.test("the list holds every ferry, newest first, or those in one state", async () => {
  const { ask, dock } = setUp();
  for (const id of ["a", "b", "c"]) await ask("POST", "/v1/ferries", { ...SPEC, id });
  dock.find("b")?.go("copying");
  const ids = async (query: string) =>
    (await (await ask("GET", `/v1/ferries${query}`)).json()).ferries.map((each: { id: string }) => each.id);
  assert.deepEqual(await ids(""), ["c", "b", "a"]);
  assert.deepEqual(await ids("?state=copying"), ["b"]);
  assert.deepEqual(await ids("?state=done"), []);
});

Deno.test("?wait holds the answer until the state changes, and no longer than asked", async () => {
  const { ask, dock, drain } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  const held = ask("GET", "/v1/ferries/a?wait=30");
  const early = () =>
    Promise.race([held, new Promise((resolve) => setTimeout(() => resolve("still held"), 30))]);
  assert.equal(await early(), "still held");
  const ferry = dock.find("a")!;
  ferry.go("preflight", { paused: true });
  assert.equal(await early(), "still held", "a hold is no state");
  ferry.say("log", "Copying waits: Threads_running of the source is 51, above 50");
  assert.equal(await early(), "still held", "a throttle neither");
  ferry.go("copying");
  assert.equal((await (await held).json()).state, "copying");
  const started = performance.now();
  assert.equal((await (await ask("GET", "/v1/ferries/a?wait=1")).json()).state, "copying");
  assert(performance.now() - started >= 950);
  const drained = ask("GET", "/v1/ferries/a?wait=30");
  await Promise.resolve();
  drain.stopWork();
  assert.equal((await drained).status, 200);
  assert(performance.now() - started < 5000);
});

Deno.test("?wait on a ferry that has ended answers at once", async () => {
  const { ask, dock } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  dock.find("a")?.go("done");
  const started = performance.now();
  assert.equal((await (await ask("GET", "/v1/ferries/a?wait=30")).json()).state, "done");
  assert(performance.now() - started < 5000);
});

Deno.test("an action is answered with 202, one that the state does not allow with 409 and those it does", async () => {
  const { ask, dock } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  const paused = await ask("POST", "/v1/ferries/a/pause");
  assert.equal(paused.status, 202);
  assert.equal((await paused.json()).id, "a");
  assert.deepEqual(dock.find("a")?.acted, ["pause"]);
  const problem = await problemOf(await ask("POST", "/v1/ferries/a/cutover"), 409, "action-not-allowed");
  assert.deepEqual(problem.actions, ["pause", "cancel"]);
  dock.find("a")?.go("awaitingCutover");
  assert.equal((await (await ask("POST", "/v1/ferries/a/cutover")).json()).state, "cuttingOver");
});

Deno.test("every 409 says what the ferry takes now, and whether to try again", async () => {
  const { ask, dock } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  const ferry = dock.find("a")!;
  for (const code of ["ferry-owned-elsewhere", "action-not-allowed"]) {
    ferry.go("copying", { actions: code === "ferry-owned-elsewhere" ? [] : ["pause"] });
    ferry.failure = new FerryError(code, "Cannot do it: not now", { retryable: true, hint: "Wait" });
    for (
      const response of [await ask("POST", "/v1/ferries/a/cancel"), await ask("PATCH", "/v1/ferries/a", {})]
    ) {
      const { state, actions, retryable, hint } = await problemOf(response, 409, code);
      assert.deepEqual({ state, actions, retryable, hint }, {
        state: "copying",
        actions: ferry.resource().actions,
        retryable: true,
        hint: "Wait",
      });
    }
  }
  // What is no conflict is told as anywhere else.
  ferry.failure = new FerryError("state-lost", "Cannot record it: no answer", { retryable: true });
  const lost = await ask("POST", "/v1/ferries/a/cancel");
  assert.equal(lost.headers.get("retry-after"), "5");
  assert.equal((await problemOf(lost, 503, "state-lost")).actions, undefined);
});

Deno.test("PATCH changes copy while the ferry runs and gets 409 when it has ended", async () => {
  const { ask, dock } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  assert.equal((await ask("PATCH", "/v1/ferries/a", { copy: { concurrency: 8 } })).status, 200);
  assert.deepEqual(dock.find("a")?.changes, [{ copy: { concurrency: 8 } }]);
  await problemOf(await ask("PATCH", "/v1/ferries/a", { copy: { deferIndexes: true } }), 422, "invalid-spec");
  dock.find("a")?.go("done");
  const problem = await problemOf(
    await ask("PATCH", "/v1/ferries/a", { copy: {} }),
    409,
    "action-not-allowed",
  );
  assert.deepEqual(problem.actions, []);
});

Deno.test("an unknown ferry, action or path gets 404, another method 405 with the ones that are there", async () => {
  const { ask } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  const unknown = [
    ["GET", "/v1/ferries/b"],
    ["GET", "/v1/ferries/b/events"],
    ["POST", "/v1/ferries/b/pause"],
    ["POST", "/v1/ferries/a/explode"],
    ["GET", "/ferries/b"],
    ["GET", "/nothing"],
  ];
  for (const [method, path] of unknown) await problemOf(await ask(method, path), 404, "not-found");
  await problemOf(await ask("PATCH", "/v1/ferries/b", {}), 404, "not-found");
  const wrong = [
    ["DELETE", "/v1/ferries", "GET, HEAD, POST"],
    ["PUT", "/v1/ferries/a", "GET, HEAD, PATCH"],
    ["GET", "/v1/ferries/a/pause", "POST"],
    ["POST", "/v1/ferries/a/events", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["POST", "/openapi.json", "GET, HEAD"],
  ];
  for (const [method, path, allow] of wrong) {
    const response = await ask(method, path);
    assert.equal(response.headers.get("allow"), allow, path);
    await problemOf(response, 405, "method-not-allowed");
  }
});

Deno.test("an error that the ferry explains is told with whether to try again; any other is not told at all", async () => {
  const { ask, dock } = setUp();
  const lines: string[] = [];
  configureLog({ format: "json", write: (line) => lines.push(line) });
  dock.failure = new FerryError("target-unreachable", `Cannot reach ${SPEC.target}: no answer`, {
    retryable: true,
  });
  const explained = await problemOf(await ask("POST", "/v1/ferries", SPEC), 503, "target-unreachable");
  assert.equal(explained.retryable, true);
  dock.failure = Object.assign(new Error(`driver said ${SPEC.source}`), { config: { password: SECRET } });
  const response = await ask("POST", "/v1/ferries", SPEC);
  const internal = await problemOf(response, 500, "internal");
  const requestId = response.headers.get("x-request-id");
  assert(requestId && internal.detail.includes(requestId));
  const logged = lines.find((line) => line.includes("driver said"));
  assert(logged?.includes(requestId));
  assert(!lines.join().includes(SECRET), lines.join());
});

Deno.test("with a token every route but the probes wants it", async () => {
  const { ask, dock } = setUp("sesame-0123456789");
  const routes = [
    ["GET", "/"],
    ["GET", "/metrics"],
    ["GET", "/openapi.json"],
    ["GET", "/v1/ferries"],
    ["GET", "/v1/ferries/a"],
    ["GET", "/v1/ferries/a/events"],
    ["POST", "/v1/ferries/a/cancel"],
    ["GET", "/nothing"],
  ];
  const wrong = [{}, { authorization: "Bearer sesame-0123456788" }, { authorization: "Basic c2VzYW1l" }, {
    authorization: "Bearer ä",
  }] as Record<string, string>[];
  for (const [method, path] of routes) {
    for (const headers of wrong) {
      const response = await ask(method, path, undefined, headers);
      assert.match(String(response.headers.get("www-authenticate")), /^Bearer/, path);
      await problemOf(response, 401, "unauthorized");
    }
  }
  await problemOf(await ask("POST", "/v1/ferries", SPEC), 401, "unauthorized");
  assert.equal(dock.started.length, 0);
  for (const path of ["/healthz", "/readyz"]) assert.equal((await ask("GET", path)).status, 200);
  const right = { authorization: "Bearer sesame-0123456789" };
  assert.equal((await ask("POST", "/v1/ferries", SPEC, right)).status, 202);
});

Deno.test("pages of other origins cannot post, own ones and programs can", async () => {
  const { ask, dock } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  for (const origin of ["http://evil.example", "null", "http://localhost:9999"]) {
    await problemOf(await ask("POST", "/v1/ferries/a/cancel", undefined, { origin }), 403, "cross-origin");
    await problemOf(await ask("POST", "/v1/ferries", SPEC, { origin }), 403, "cross-origin");
  }
  assert.equal(dock.find("a")?.acted.length, 0);
  assert.equal(
    (await ask("POST", "/v1/ferries/a/pause", undefined, { origin: "http://localhost" })).status,
    202,
  );
  assert.equal((await ask("GET", "/v1/ferries", undefined, { origin: "http://evil.example" })).status, 200);
});

Deno.test("without a token a name that a page pointed at this machine is not served", async () => {
  const { ask } = setUp();
  await problemOf(
    await ask("GET", "/v1/ferries", undefined, { host: "evil.example:8080" }),
    403,
    "host-not-allowed",
  );
  for (const host of ["127.0.0.1:8080", "localhost", "[::1]:8080"]) {
    assert.equal((await ask("GET", "/v1/ferries", undefined, { host })).status, 200, host);
  }
  assert.equal((await ask("GET", "/readyz", undefined, { host: "10.1.2.3:8080" })).status, 200);
  const guarded = setUp("sesame");
  const headers = { host: "ferry.example", authorization: "Bearer sesame" };
  assert.equal((await guarded.ask("GET", "/v1/ferries", undefined, headers)).status, 200);
});

Deno.test("while it drains the service is alive, not ready, and takes no work", async () => {
  const { ask, drain, dock } = setUp();
  assert.equal((await ask("GET", "/readyz")).status, 200);
  drain.stopWork();
  assert.equal((await ask("GET", "/healthz")).status, 200);
  await problemOf(await ask("GET", "/readyz"), 503, "draining");
  const problem = await problemOf(await ask("POST", "/v1/ferries", SPEC), 503, "draining");
  assert.equal(problem.retryable, true);
  assert.equal(dock.started.length, 0);
});

Deno.test("metrics tell what is known of each ferry and leave out what is not", async () => {
  const { ask, dock } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  const ferry = dock.find("a");
  assert(ferry);
  ferry.go("copying", { progress: { ...ferry.resource().progress, rowsCopied: 42, lagSeconds: 1.5 } });
  const response = await ask("GET", "/metrics");
  assert.match(String(response.headers.get("content-type")), /^text\/plain; version=0.0.4/);
  const text = await response.text();
  assert.match(text, /^chainferry_ferries\{state="copying"\} 1$/m);
  assert.match(text, /^chainferry_ferry_state\{ferry="a",state="copying"\} 1$/m);
  assert.match(text, /^chainferry_ferry_copied_rows_total\{ferry="a"\} 42$/m);
  assert.match(text, /^chainferry_ferry_lag_seconds\{ferry="a"\} 1.5$/m);
  assert.doesNotMatch(text, /chainferry_ferry_eta_seconds\{/);
  for (let n = 0; n < 150; n++) await dock.start({ ...dock.started[0], id: `n${n}` });
  const many = await (await ask("GET", "/metrics")).text();
  assert.equal(many.match(/^chainferry_ferry_state\{.*\} 1$/gm)?.length, 100);
  assert.match(many, /^chainferry_ferries\{state="preflight"\} 150$/m);
});

Deno.test("every route is in the OpenAPI document, and its references lead somewhere", async () => {
  const { ask, app } = setUp();
  const text = await (await ask("GET", "/openapi.json")).text();
  const document = JSON.parse(text);
  assert.equal(document.openapi, "3.1.0");
  const told = Object.entries(document.paths as Record<string, Record<string, unknown>>)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  const served = app.routes.filter((route) => route.method !== "ALL")
    // The pages are for people.
    .filter(({ path }) => path !== "/openapi.json" && !/^\/($|ferries|assets|sign-in|new|live)/.test(path))
    .map((route) => `${route.method} ${route.path.replace(/:(\w+)/g, "{$1}")}`);
  assert.deepEqual([...new Set(told)].sort(), [...new Set(served)].sort());
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    assert(document.components.schemas[name].type === "object", name);
  }
  const { properties, required } = document.components.schemas.FerrySpec;
  assert.deepEqual(required, ["source", "target", "tables"]);
  assert.equal(properties.copy.properties.concurrency.maximum, 64);
});

Deno.test("every response carries a request id and the headers that keep browsers careful", async () => {
  const { ask } = setUp();
  const response = await ask("GET", "/v1/ferries/none");
  await response.body?.cancel();
  assert.match(String(response.headers.get("x-request-id")), /^[\w-]{8,}$/);
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("x-frame-options"), "SAMEORIGIN");
});

Deno.test("pause takes what it holds, copying by default, and names every fault of its body", async () => {
  const { ask, dock } = setUp();
  await ask("POST", "/v1/ferries", { ...SPEC, id: "a" });
  for (const body of [undefined, {}, { hold: "copy" }, { hold: "all" }]) {
    assert.equal((await ask("POST", "/v1/ferries/a/pause", body)).status, 202);
  }
  assert.deepEqual(dock.find("a")?.held, ["copy", "copy", "copy", "all"]);
  const problem = await problemOf(
    await ask("POST", "/v1/ferries/a/pause", { hold: "replay", for: 5 }),
    422,
    "invalid-spec",
  );
  assert.deepEqual(problem.errors.map((e) => e.pointer).sort(), ["/for", "/hold"]);
  assert.equal(dock.find("a")?.held.length, 4);
});
