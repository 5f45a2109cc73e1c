/**
 * A whole ferry tells others how it goes: signed, in order, without waiting for any of them.
 */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { signature } from "../../lib/progress/callbacks.ts";
import { ended, shopSpec, until, untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { Sql } from "../support/sql.ts";

const SECRET = "known to both";

interface Posted {
  readonly path: string;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

onEachFlavour(
  "a ferry posts its states and its progress signed and in order, and waits for no receiver",
  async ({ source, target }) => {
    await makeOrders(source.url, 5000);
    const posts: Posted[] = [];
    const silence = Promise.withResolvers<Response>();
    await using receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const { pathname: path } = new URL(request.url);
      const text = await request.text();
      const time = request.headers.get("chainferry-timestamp");
      assert.equal(
        request.headers.get("chainferry-signature"),
        await signature(SECRET, `${time}.${text}`),
        "the signature",
      );
      posts.push({ path, body: JSON.parse(text) });
      return path === "/never" ? silence.promise : new Response();
    });
    const to = `http://127.0.0.1:${receiver.addr.port}`;
    const of = (path: string) => posts.filter((p) => p.path === path).map((p) => p.body);
    const dock = openDock({ callbacks: { secret: SECRET, linkLocal: false } });
    try {
      const callbacks = { state: `${to}/state`, progress: `${to}/progress`, error: `${to}/error` };
      const spec = (id: string, more: Record<string, unknown>) =>
        shopSpec(source.url, target.url, { id, throttle: { maxRowsPerSecond: 4000 }, ...more });
      await until(await dock.start(spec("told", { callbacks })), ["done"]);
      await untilTrue("the end is posted", () => of("/state").at(-1)?.state === "done");
      const states = of("/state");
      assert.deepEqual(states.map((b) => b.state), [
        "copying",
        "catchingUp",
        "verifying",
        "awaitingCutover",
        "cuttingOver",
        "done",
      ]);
      const ids = states.map((b) => b.event);
      assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b));
      assert.ok(states.every((b) => b.ferry === "told" && typeof b.text === "string"));
      assert.equal(states.at(-1).verification.state, "passed");
      const copied = of("/progress").map((b) => b.progress.rowsCopied);
      assert.ok(copied.length > 0);
      assert.deepEqual(copied, copied.toSorted((a, b) => a - b));
      assert.deepEqual(of("/error"), []);

      // The target has rows now, so the second is refused; nobody answers for its states.
      posts.length = 0;
      const deaf = { state: `${to}/never`, error: `${to}/error` };
      const refused = await ended(await dock.start(spec("refused", { callbacks: deaf })));
      assert.equal(refused.state, "failed");
      await untilTrue("the failure is posted", () => of("/error").length === 1);
      assert.equal(of("/error")[0].error.code, "preflight-refused");

      await using there = await Sql.open(target.url);
      await there.run("DROP DATABASE shop");
      const never = { state: `${to}/never`, progress: `${to}/never` };
      await until(await dock.start(spec("heedless", { callbacks: never })), ["done"]);
    } finally {
      silence.resolve(new Response());
      await dock.close();
    }
  },
);
