import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import ZongJi from "@vlasky/zongji";
import { BinlogTail } from "../../lib/binlog/tail.ts";
import type { BoundTable, TailHandler } from "../../lib/binlog/tail.ts";

const HANDLER = {} as TailHandler<BoundTable>;

function tail(offset = 4): BinlogTail<BoundTable> {
  return new BinlogTail({
    connection: { host: "127.0.0.1", port: 1, user: "u", password: "p" },
    serverId: 1,
    start: { file: "binlog.000001", offset },
    handler: HANDLER,
  });
}

const never = () => new AbortController().signal;

/** What the driver's `start` does in a test; it is put back behind it. */
async function withDriver(
  start: (this: Record<string, unknown> & EventEmitter) => void,
  body: () => Promise<void>,
) {
  const prototype = ZongJi.prototype as unknown as { start: unknown };
  const original = prototype.start;
  prototype.start = start;
  try {
    await body();
  } finally {
    prototype.start = original;
  }
}

Deno.test("another driver than the one this was made for is refused", async () => {
  await withDriver(
    function () {
      const stream = { closed: true, destroy() {}, unref() {} };
      this.connection = { stream, query() {}, destroy() {}, on() {}, removeAllListeners() {} };
      this.BinlogClass = class {};
      this.emit("ready");
    },
    () => assert.rejects(tail().start(never()), { code: "binlog-driver-changed", retryable: false }),
  );
});

Deno.test("what the driver reports is told apart by number and code", async () => {
  for (
    const [error, code, retryable] of [
      [{ errno: 1236, message: "gone" }, "binlog-purged", false],
      [{ errno: 1045 }, "source-access-denied", false],
      [{ errno: 1227 }, "source-access-denied", false],
      [{ code: "PROTOCOL_CONNECTION_LOST" }, "source-connection-lost", true],
      [{ code: "ECONNRESET" }, "source-connection-lost", true],
      [{ errno: 4052, code: "ER_X" }, "binlog-stream-failed", false],
    ] as const
  ) {
    await withDriver(
      function () {
        this.emit("error", Object.assign(new Error("as the driver says"), error));
      },
      async () => {
        const t = tail();
        await assert.rejects(t.start(never()), { code, retryable });
        await assert.rejects(t.done, { code });
      },
    );
  }
});

Deno.test("a place that the protocol cannot ask for is refused", async () => {
  await assert.rejects(tail(2 ** 32).start(never()), { code: "binlog-position-too-large" });
});

Deno.test("stopping what never started, twice, leaves nothing", async () => {
  const t = tail();
  await t.stop();
  await t.stop();
  await t.done;
});

Deno.test("stopping while connecting leaves nothing", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const c of silent) accepted.push(c);
  })();
  const t = new BinlogTail({
    connection: { host: "127.0.0.1", port: (silent.addr as Deno.NetAddr).port, user: "u", password: "p" },
    serverId: 1,
    start: { file: "binlog.000001", offset: 4 },
    handler: HANDLER,
    watchdogSeconds: 0.5,
  });
  // A server that accepts and says nothing.
  await assert.rejects(t.start(never()), {
    code: "source-connection-lost",
    retryable: true,
    message: /not a byte/,
  });
  await t.stop();
  silent.close();
  await accepting;
  for (const c of accepted) c.close();
});
