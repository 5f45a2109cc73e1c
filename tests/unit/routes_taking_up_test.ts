/** While a service that has just begun still looks for the ferries that were left to it, none of them is denied. */
import assert from "node:assert/strict";
import { createApp } from "../../routes/app.ts";
import { Drain } from "../../routes/drain.ts";
import { FakeDock, FakeFerry } from "./routes_fake_dock.ts";

const PATHS = ["/v1/ferries/left", "/v1/ferries/left/events", "/ferries/left", "/ferries/left/live"];

function setUp(takeUpWaitMs: number) {
  const dock = new FakeDock();
  const drain = new Drain();
  const { promise: tookUp, resolve: looked, reject: failed } = Promise.withResolvers<void>();
  const settings = { token: null, connections: new Map<string, string>() };
  const app = createApp({ dock, drain, settings, tookUp, takeUpWaitMs });
  const get = async (path: string) => await app.request(path, { headers: { host: "localhost" } });
  return { dock, drain, looked, failed, get };
}

for (const path of PATHS) {
  Deno.test(`an answer waits until a ferry that was left is known: GET ${path}`, async () => {
    const { dock, get } = setUp(60_000);
    const answer = get(path);
    await new Promise((r) => setTimeout(r, 120));
    const ferry = new FakeFerry("left", "");
    dock.ferries.set("left", ferry);
    const { status, body } = await answer;
    assert.equal(status, 200);
    await body!.cancel();
  });
}

Deno.test("an answer that waited too long says that it is not known yet, and to ask again", async () => {
  const { get } = setUp(1);
  const answer = await get("/v1/ferries/left");
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get("retry-after"), "1");
  const { code, retryable } = await answer.json();
  assert.deepEqual([code, retryable], ["taking-up", true]);
});

Deno.test("a ferry that was not left is denied as soon as all was looked through, also where that failed", async () => {
  for (const end of ["looked", "failed"] as const) {
    const all = setUp(60_000);
    const answer = all.get("/v1/ferries/left");
    all[end]();
    assert.equal((await answer).status, 404);
    assert.equal((await all.get("/v1/ferries/left")).status, 404);
  }
});

Deno.test("neither pages of their own nor a service that goes wait for what was left", async () => {
  const { drain, get } = setUp(60_000);
  assert.equal((await get("/new")).status, 200);
  assert.equal((await get("/live")).status, 200);
  assert.equal((await get("/healthz")).status, 200);
  const answer = get("/v1/ferries/left");
  drain.stopWork();
  assert.equal((await answer).status, 503);
});
