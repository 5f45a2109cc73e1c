/**
 * A ferry's page as a browser without JavaScript gets it: what it says, and what it offers.
 * @module
 */
import assert from "node:assert/strict";
import { allowedActions, type FerryState } from "../../lib/ferry/ferry_state.ts";
import type { FerryResource, TableProgress } from "../../lib/progress/resource.ts";
import { FerryPage } from "../../routes/page/ferry_page.tsx";
import { setUp } from "./pages_setup.ts";
import { resourceOf, SECRET, tableOf } from "./routes_fake_dock.ts";

function progress(more: Partial<FerryResource["progress"]>): Pick<FerryResource, "progress"> {
  return { progress: { ...resourceOf("x").progress, ...more } };
}

Deno.test("a ferry's page offers what is allowed now, and a cutover only for its name", async () => {
  const { dock, get, post, start } = setUp();
  await start("orders.eu");
  const ferry = dock.find("orders.eu")!;
  ferry.go("copying");
  let html = await (await get("/ferries/orders.eu")).text();
  assert.match(html, /action="\/ferries\/orders\.eu\/pause"/);
  assert.doesNotMatch(html, /\/cutover"/);
  assert.match(html, /role="progressbar"/);
  assert.match(html, /aria-current="step"/);
  assert(!html.includes(SECRET));
  ferry.go("copying", { paused: true, hold: "copy", actions: allowedActions("copying", true) });
  html = await (await get("/ferries/orders.eu")).text();
  assert.match(html, /action="\/ferries\/orders\.eu\/resume"/);
  assert.doesNotMatch(html, /\/pause"/, "what is held already");
  ferry.go("awaitingCutover", { paused: false, hold: null });
  html = await (await get("/ferries/orders.eu")).text();
  assert.match(html, /action="\/ferries\/orders\.eu\/cutover"/);
  assert.match(html, /pattern="orders\\\.eu"/);
  const wrong = await post("/ferries/orders.eu/cutover", { name: "orders" });
  assert.equal(wrong.status, 409);
  assert.match(await wrong.text(), /Nothing was done/);
  assert.deepEqual(ferry.acted, []);
  const right = await post("/ferries/orders.eu/cutover", { name: "orders.eu" });
  assert.deepEqual([right.status, right.headers.get("location")], [303, "/ferries/orders.eu"]);
  assert.deepEqual(ferry.acted, ["cutover"]);
  assert.equal((await get("/ferries/nobody")).status, 404);
});

Deno.test("of what may be asked, what leads on stands out alone", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const primary = async (state: FerryState, paused: boolean) => {
    const hold = paused ? "copy" as const : null;
    dock.find("a")!.go(state, { paused, hold, actions: allowedActions(state, paused) });
    const html = await (await get("/ferries/a")).text();
    return [...html.matchAll(/<button type="submit" class="primary">([^<]*)</g)].map((m) => m[1]);
  };
  assert.deepEqual(await primary("awaitingCutover", false), ["Cut over"]);
  assert.deepEqual(await primary("awaitingCutover", true), ["Go on copying"]);
  assert.deepEqual(await primary("copying", false), []);
  assert.deepEqual(await primary("failed", false), ["Try again"]);
});

Deno.test("a snapshot tells what happened, what still holds, and each table's key range in words", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const ferry = dock.find("a")!;
  for (let i = 1; i <= 60; i++) ferry.say("log", `Thing ${i} <happened>`);
  ferry.say("progress", "Not worth keeping");
  const table = tableOf({
    target: "shop.b",
    state: "differing",
    rowsCopied: 9,
    rowsEstimated: 9,
    verified: false,
    strip: "vvrrd" + "c".repeat(58) + ".",
  });
  const cutover = { attempts: 1, writesStoppedMs: 5, position: null, fenceKept: true };
  ferry.go("copying", { tables: [table], cutover, throttled: { reason: "too much", name: "much" } });
  const html = await (await get("/ferries/a")).text();
  const told = [...html.matchAll(/<span>(Thing \d+) &lt;happened&gt;/g)].map((m) => m[1]);
  assert.deepEqual([told.length, told[0], told.at(-1)], [49, "Thing 60", "Thing 12"]);
  assert.doesNotMatch(html, /Not worth keeping/);
  assert.match(html, /Writes to src\.example:3307 are still stopped/);
  assert.match(html, /Copying waits: too much/);
  assert.match(
    html,
    /aria-valuetext="98 % copied, 2 cells changed again, 2 cells verified, 1 cell differing"/,
  );
  assert.match(html, /to shop\.b/);
});

Deno.test("what a throttle does is told of the phase, and that replay goes on only where it does", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const notice = async (state: FerryState, hold: FerryResource["hold"]) => {
    dock.find("a")!.go(state, {
      throttled: { reason: "too much", name: "much" },
      paused: hold !== null,
      hold,
    });
    return /<p class="notice wait">(.*?)<\/p>/.exec(await (await get("/ferries/a")).text())?.[1];
  };
  assert.equal(await notice("copying", null), "Copying waits: too much. Replay goes on.");
  assert.equal(await notice("copying", "copy"), "Copying waits: too much. Replay goes on.");
  assert.equal(await notice("copying", "all"), "Copying waits: too much.");
  for (const state of ["verifying", "awaitingCutover"] as const) {
    assert.equal(await notice(state, null), "Comparing waits: too much. Replay goes on.");
  }
});

Deno.test("of many tables those in trouble and those that move are shown, and the others are counted", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const named = (source: string, more: Partial<TableProgress>) =>
    tableOf({ source, target: source, ...more });
  const shown = async (finished: number) => {
    dock.find("a")!.go("verifying", {
      tables: [
        ...Array.from({ length: finished }, (_, i) => named(`shop.t${i}`, { state: "verified" })),
        named("shop.later", { state: "waiting" }),
        named("shop.moving", { state: "verifying" }),
        named("shop.wrong", { state: "differing" }),
      ],
    });
    const html = await (await get("/ferries/a")).text();
    const names = [...html.matchAll(/<tr data-key="([^"]*)"/g)].map((m) => m[1]);
    return { names, hidden: /<p>([^<]*not shown)</.exec(html)?.[1] };
  };
  const many = await shown(1300);
  assert.deepEqual(many.names.slice(0, 4), ["shop.wrong", "shop.moving", "shop.later", "shop.t0"]);
  assert.deepEqual([many.names.length, many.hidden], [200, "1,103 more tables are not shown"]);
  assert.equal((await shown(198)).hidden, "1 more table is not shown");
  assert.equal((await shown(197)).hidden, undefined);
});

Deno.test("a table is said to differ where no cell of its strip shows it", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const differing = { state: "differing", rowsCopied: 9, rowsEstimated: 9, verified: false } as const;
  dock.find("a")!.go("verifying", {
    tables: [
      tableOf({ ...differing, strip: "c".repeat(64) }),
      tableOf({ ...differing, strip: null }),
      tableOf({ ...differing, strip: "d".repeat(64) }),
    ],
  });
  const html = await (await get("/ferries/a")).text();
  const said = [...html.matchAll(/aria-valuetext="([^"]*)" aria-label="shop/g)].map((m) => m[1]);
  assert.deepEqual(said, [
    "100 % copied, rows differ",
    "100 % copied, rows differ",
    "100 % copied, 64 cells differing",
  ]);
});

Deno.test("the rail says in words where a ferry ended that did not arrive", async () => {
  const { dock, get, start } = setUp();
  const time = (s: number) => new Date(s * 1000).toISOString();
  const phases = [
    { state: "preflight", startedAt: time(0), endedAt: time(2) },
    { state: "copying", startedAt: time(2), endedAt: time(32) },
  ] as const;
  for (const [state, word] of [["failed", "stopped"], ["cancelled", "cancelled"]] as const) {
    await start(word);
    dock.find(word)!.go(state, { phases });
    const html = await (await get(`/ferries/${word}`)).text();
    assert.match(
      html,
      new RegExp(`<li class="stopped"><span>Copy</span><small>${word} after 30 s</small></li>`),
    );
    assert.match(html, /<li class="passed"><span>Look<\/span><small>2\.0 s<\/small><\/li>/);
  }
});

Deno.test("what happened on another day than the page's is told with its date", () => {
  const event = (id: number, at: string) => ({ id, type: "log", data: { text: "x", at } }) as const;
  const events = [event(1, "2026-11-21T23:59:59.999Z"), event(2, "2026-11-22T00:00:01.500Z")];
  const now = Date.parse("2026-11-22T10:00:00.000Z");
  const html = String(FerryPage({ resource: resourceOf("a"), events, now }));
  const times = [...html.matchAll(/<time datetime="([^"]*)">([^<]*)</g)].map(([, at, text]) => [at, text]);
  assert.deepEqual(times, [
    ["2026-11-22T00:00:01.500Z", "00:00:01 UTC"],
    ["2026-11-21T23:59:59.999Z", "2026-11-21 23:59:59 UTC"],
  ]);
});

Deno.test("the picture shows how far and how far behind, the rail how long, and nothing unknown is a number", async () => {
  const { dock, get, start } = setUp();
  await start("a");
  const ferry = dock.find("a")!;
  const html = async (more: Partial<FerryResource>) => {
    ferry.go("copying", more);
    return await (await get("/ferries/a")).text();
  };
  const depth = (text: string) => Number(/class="chain" d="M 50 40 Q \S+ (\d+)/.exec(text)![1]);
  const unknown = await html({});
  assert.match(unknown, /<dt>Behind<\/dt><dd class="unknown">measuring<\/dd>/);
  assert.match(unknown, /<dt>Rows a second<\/dt><dd class="unknown">measuring<\/dd>/);
  assert.match(unknown, /aria-label="On the way from src\.example:3307 to dst\.example"/);
  assert.doesNotMatch(unknown, /class="flight"/);
  const known = { rowsCopied: 50, rowsEstimated: 100, rowsPerSecond: 5000 };
  const taut = await html(progress({ ...known, lagSeconds: 0 }));
  const slack = await html(progress({ ...known, lagSeconds: 20 }));
  assert(depth(slack) > depth(taut) + 20, `${depth(taut)} and ${depth(slack)}`);
  assert.match(slack, /transform="translate\(320 40\)"/);
  assert.match(
    slack,
    /aria-label="50 % of the way from [^"]*, 5,000 rows a second in flight, the target 20 s behind"/,
  );
  assert.match(slack, /class="flight"/);
  const phase = (state: FerryState, from: number, to: number) => ({
    state,
    startedAt: new Date(from * 1000).toISOString(),
    endedAt: new Date(to * 1000).toISOString(),
  });
  const phases = [phase("preflight", 0, 2), phase("copying", 2, 32), phase("preflight", 40, 41)];
  const rail = await html({ resumedTimes: 2, phases: [...phases, phase("copying", 41, 51)] });
  assert.match(rail, /<span>Look<\/span><small>3\.0 s<\/small>/);
  assert.match(rail, /aria-current="step"><span>Copy<\/span><small>40 s<\/small>/);
  assert.match(rail, /resumed 2 times/);
});
