/** A real dock beside targets that are not there: what it keeps apart, and what it leaves behind when it is closed. */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { configureLog } from "../../lib/log.ts";
import { shopSpec, untilTrue } from "../support/ferries.ts";
import { freePort } from "../support/service.ts";
import { silentServer } from "../support/silent_server.ts";

const urlOf = (port: number) => `mysql://u:p4ssw0rd@127.0.0.1:${port}`;

Deno.test("of two starts at once with one id and two specs, one is refused", async () => {
  const nobody = urlOf(freePort());
  const dock = openDock();
  try {
    const specs = [
      shopSpec(nobody, nobody, { id: "a" }),
      shopSpec(nobody, nobody, { id: "a", verify: "off" }),
    ];
    const [first, second] = await Promise.allSettled(specs.map((spec) => dock.start(spec)));
    const [kept, refused] = first.status === "fulfilled" ? [first, second] : [second, first];
    assert.equal(refused.status, "rejected");
    assert.equal(refused.reason.code, "spec-differs");
    assert(kept.status === "fulfilled");
    assert.equal(dock.find("a"), kept.value);
  } finally {
    await dock.close();
  }
});

Deno.test("two starts at once with one id and one spec attach to one ferry", async () => {
  const nobody = urlOf(freePort());
  const dock = openDock();
  try {
    const spec = shopSpec(nobody, nobody, { id: "a" });
    const [first, second] = await Promise.all([dock.start(spec), dock.start({ ...spec })]);
    assert.equal(first, second);
  } finally {
    await dock.close();
  }
});

Deno.test("a ferry whose target cannot be reached posts that it failed", async () => {
  const posts: string[] = [];
  await using receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { ferry, type, error } = await request.json();
    posts.push([new URL(request.url).pathname, ferry, type, error.code].join(" "));
    return new Response();
  });
  const to = `http://127.0.0.1:${receiver.addr.port}`;
  const nobody = urlOf(freePort());
  const dock = openDock();
  try {
    const callbacks = { state: `${to}/state`, error: `${to}/error` };
    const ferry = await dock.start(shopSpec(nobody, nobody, { id: "a", callbacks }));
    assert.equal((await ferry.ended).state, "failed");
  } finally {
    // What is to be posted is posted before.
    await dock.close();
  }
  assert.deepEqual(posts.sort(), ["/error a failed preflight-refused", "/state a failed preflight-refused"]);
});

Deno.test("a URL that does not answer costs no other the posts of a ferry that is tried again", async () => {
  const posts: string[] = [];
  const silence = Promise.withResolvers<Response>();
  await using receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    posts.push(`${pathname} ${(await request.json()).type}`);
    return pathname === "/never" ? silence.promise : new Response();
  });
  const to = `http://127.0.0.1:${receiver.addr.port}`;
  const nobody = urlOf(freePort());
  const dock = openDock();
  try {
    const callbacks = { state: `${to}/never`, error: `${to}/error` };
    const ferry = await dock.start(shopSpec(nobody, nobody, { id: "a", callbacks }));
    const failures = () => posts.filter((post) => post === "/error failed").length;
    await untilTrue("the failure is posted", () => failures() === 1, { seconds: 10 });
    assert.ok(posts.includes("/never failed"));
    await ferry.act("retry");
    await untilTrue("the second one, too", () => failures() === 2, { seconds: 10 });
  } finally {
    silence.resolve(new Response());
    await dock.close();
  }
});

Deno.test("a dock that is closed while it asks a target makes no ferry any more", async () => {
  await using silent = silentServer();
  const dock = openDock();
  const starting = dock.start(shopSpec(silent.url, silent.url, { id: "a" }));
  await silent.asked;
  await dock.close();
  await assert.rejects(starting, { code: "shutting-down", retryable: true });
  assert.equal(dock.find("a"), null);
});

Deno.test("a named target that does not answer is told once and looked at again, until the dock closes", async () => {
  const lines: string[] = [];
  configureLog({ format: "text", level: "warning", write: (line) => lines.push(line) });
  const port = freePort();
  const dock = openDock();
  try {
    assert.deepEqual(await dock.takeUp(new Map([["eu", urlOf(port)]])), []);
    // The next look finds somebody who says nothing.
    await using silent = silentServer(port);
    await silent.asked;
    const closing = performance.now();
    await dock.close();
    assert.ok(performance.now() - closing < 1000, "the look under way is not waited for");
  } finally {
    await dock.close();
  }
  const told = lines.join("");
  assert.equal(lines.length, 1, told);
  assert.match(
    told,
    /\[warning\] chainferry\.dock: Cannot look for ferries at eu, trying again.*127\.0\.0\.1/,
  );
  assert.ok(!told.includes("p4ssw0rd"));
});
