/**
 * The queue's bound holds while the target is slow: the source's dump waits, and memory does not grow with the backlog.
 */
import assert from "node:assert/strict";
import { PENDING_LIMIT } from "../../lib/replay/replayer.ts";
import { assertEqual } from "../support/equality.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

/** Bytes written to the source while the target is held: ten times the bound. */
const BACKLOG = 10 * PENDING_LIMIT;

onEachFlavour("a target that stands still holds the tail, not the memory", async ({ source, target }) => {
  await using sql = await Sql.open(source.url);
  await sql.run(
    "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, body LONGBLOB)",
  );
  await sql.run("INSERT INTO shop.orders VALUES (0, 'x')");
  // A process of its own: other tests' memory is none of the ferry's.
  await using service = await Service.start();
  const posted = await service.ask("POST", "/v1/ferries", {
    id: "slow",
    source: source.url,
    target: target.url,
    tables: ["shop.*"],
    verify: "off",
    cutover: { mode: "manual", fence: "lockTables", keepFence: false },
  });
  assert.equal(posted.status, 202);
  await service.until("slow", ["awaitingCutover"]);
  await using hold = await Sql.open(target.url);
  await hold.run("LOCK TABLES shop.orders WRITE");
  const before = await service.memory();
  const size = 1 << 20;
  for (let i = 1; i * size <= BACKLOG; i++) {
    await sql.run(`INSERT INTO shop.orders VALUES (${i}, REPEAT(CHAR(${i % 256}), ${size}))`);
  }
  await new Promise((r) => setTimeout(r, 1000));
  const grown = (await service.memory()).peak - before.now;
  const pending = (await service.until("slow", ["awaitingCutover"])).progress.changesPending!;
  assert.ok(pending > 0 && pending * size < 3 * PENDING_LIMIT, `${pending} changes of 1 MiB wait in memory`);
  // Two batches (one waits for the target, one gathers), the packets they are sent in, and the driver's buffers.
  assert.ok(grown < BACKLOG * 0.8, `memory grew by ${grown >> 20} MiB for a backlog of ${BACKLOG >> 20} MiB`);
  await hold.run("UNLOCK TABLES");
  await service.cutOver("slow");
  await service.until("slow", ["done"]);
  await assertEqual(source.url, target.url, ["shop.orders"]);
});
