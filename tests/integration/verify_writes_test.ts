/**
 * The comparison while both sides change: what is delivered is looked at again, and behind the fence only what changed.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Session } from "../../lib/mysql/session.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import { untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { Bench, never, onlyWords } from "../support/verify_bench.ts";

onEachFlavour("verify: while writes go on, and behind the fence", async (pair, _vendor, t) => {
  await using bench = await Bench.open(pair);
  const { replay } = bench;
  await bench.both(
    "CREATE TABLE shop.w (id INT PRIMARY KEY, v INT)",
    "CREATE TABLE shop.x (id INT PRIMARY KEY)",
  );
  for (let i = 0; i < 50; i++) await bench.both(`INSERT INTO shop.w VALUES (${i}, 0)`);
  const tables = await bench.tables("w", "x");
  const [w] = tables;

  await t.step("a hot key is not reported, a change that replay lost is", async () => {
    const hot = await bench.key(w, "id = 7");
    const stop = new AbortController();
    const applied: (() => void)[] = [];
    const applier = await Session.open(parseConnectionUrl(pair.target.url), { side: "target" });
    const writing = (async () => {
      for (let v = 1; !stop.signal.aborted; v++) {
        await bench.source.run("UPDATE shop.w SET v = ? WHERE id = 7", [v]);
        replay.deliver(w.index, hot);
        await sleep(5);
        await applier.run("UPDATE shop.w SET v = ? WHERE id = 7", [v]);
        for (const done of applied.splice(0)) done();
      }
    })();
    // The next change but one began after the call.
    const next = () => new Promise<void>((resolve) => applied.push(resolve));
    replay.caughtUp = () => next().then(next);
    const verifier = bench.verifier(tables, { chunkRows: 10 });
    for (let i = 0; i < 5; i++) {
      await verifier.full(never);
      await verifier.settle(never);
    }
    assert.deepEqual(verifier.progress.differences, []);
    assert.equal(verifier.passed, true);
    assert.equal(verifier.progress.tablesVerified.size, 2);
    await bench.source.run("UPDATE shop.w SET v = 100 WHERE id = 8");
    await verifier.full(never);
    assert.deepEqual(onlyWords(verifier.progress.differences), ["8 unlike"]);
    await bench.source.run("UPDATE shop.w SET v = 0 WHERE id = 8");
    stop.abort();
    await writing;
    await applier.close();
    replay.caughtUp = () => Promise.resolve();
    await verifier.close();
  });

  const lock = async () => {
    const session = await bench.data("source");
    await session.run("LOCK TABLES shop.w WRITE, shop.x WRITE");
    return session;
  };

  await t.step("behind LOCK TABLES the keys that changed are compared, and only they", async () => {
    const verifier = bench.verifier(tables);
    await verifier.full(never);
    await bench.target.run("UPDATE shop.w SET v = 5 WHERE id IN (20, 21)");
    replay.deliver(w.index, await bench.key(w, "id = 20"), await bench.key(w, "id = 22"));
    await using source = await lock();
    await using target = await bench.data("target");
    await verifier.final(source, target, never);
    assert.equal(verifier.passed, false);
    assert.deepEqual(onlyWords(verifier.progress.differences), ["20 unlike"]);
    await bench.target.run("UPDATE shop.w SET v = 0 WHERE id IN (20, 21)");
    await verifier.close();
  });

  await t.step("a table with too many changes is compared whole, before or behind the fence", async () => {
    const verifier = bench.verifier(tables, { dirtyLimit: 3, chunkRows: 10 });
    await verifier.full(never);
    await bench.target.run("UPDATE shop.w SET v = 5 WHERE id = 30");
    const keys = [];
    for (let i = 0; i < 5; i++) keys.push(await bench.key(w, `id = ${i}`));
    replay.deliver(w.index, ...keys);
    {
      await using source = await lock();
      await using target = await bench.data("target");
      await verifier.final(source, target, never);
      assert.deepEqual(onlyWords(verifier.progress.differences), ["30 unlike"]);
    }
    await verifier.full(never);
    await bench.target.run("UPDATE shop.w SET v = 5 WHERE id = 31");
    replay.deliver(w.index, ...keys);
    await verifier.settle(never);
    assert.deepEqual(onlyWords(verifier.progress.differences), ["30 unlike", "31 unlike"]);
    await bench.both("UPDATE shop.w SET v = 0");
    await verifier.close();
  });

  await t.step("settling keeps what changes under it, and keeps everything when it fails", async () => {
    const verifier = bench.verifier(tables);
    await verifier.full(never);
    const key = await bench.key(w, "id = 40");
    await bench.target.run("UPDATE shop.w SET v = 5 WHERE id = 40");
    replay.deliver(w.index, key);
    replay.caughtUp = () => Promise.reject(new Error("tail lost"));
    await assert.rejects(verifier.settle(never), /tail lost/);
    assert.equal(verifier.dirtyCount, 1);
    replay.caughtUp = () => Promise.resolve(replay.deliver(w.index, key));
    await verifier.settle(never);
    assert.equal(verifier.progress.differenceCount, 0);
    assert(verifier.dirtyCount >= 1);
    replay.caughtUp = () => Promise.resolve();
    await using source = await lock();
    await using target = await bench.data("target");
    await verifier.final(source, target, never);
    assert.deepEqual(onlyWords(verifier.progress.differences), ["40 unlike"]);
    await source.run("UNLOCK TABLES");
    await bench.both("UPDATE shop.w SET v = 0");
    await verifier.close();
  });

  await t.step("no range and no changed key is read before it is allowed", async () => {
    let open = false;
    const allowed = async () => {
      while (!open) await sleep(10);
    };
    const verifier = bench.verifier(tables, { allowed });
    const full = verifier.full(never);
    await sleep(500);
    assert.equal(verifier.progress.rowsCompared, 0);
    open = true;
    await full;
    assert.equal(verifier.passed, true);
    open = false;
    await bench.target.run("UPDATE shop.w SET v = 5 WHERE id = 41");
    replay.deliver(w.index, await bench.key(w, "id = 41"));
    const settling = verifier.settle(never);
    await sleep(1500);
    assert.equal(verifier.progress.differenceCount, 0);
    open = true;
    await settling;
    assert.deepEqual(onlyWords(verifier.progress.differences), ["41 unlike"]);
    await bench.both("UPDATE shop.w SET v = 0");
    await verifier.close();
  });

  await t.step(
    "the last try waits for a writer whose change is delivered and not yet committed",
    async () => {
      await bench.source.run("START TRANSACTION");
      await bench.source.run("UPDATE shop.w SET v = 9 WHERE id = 45");
      await bench.target.run("UPDATE shop.w SET v = 9 WHERE id = 45");
      const verifier = bench.verifier(tables);
      const full = verifier.full(never);
      await sleep(1500);
      await bench.source.run("COMMIT");
      await full;
      assert.deepEqual(verifier.progress.differences, []);
      await bench.source.run("START TRANSACTION");
      await bench.source.run("UPDATE shop.w SET v = 10 WHERE id = 45");
      await bench.target.run("UPDATE shop.w SET v = 10 WHERE id = 45");
      // Past the wait for the lock: unknown, and looked at again.
      await verifier.full(never);
      assert.deepEqual([verifier.progress.differenceCount, verifier.dirtyCount], [0, 1]);
      await bench.source.run("COMMIT");
      await verifier.settle(never);
      assert.deepEqual([verifier.progress.differenceCount, verifier.dirtyCount], [0, 0]);
      await verifier.close();
    },
  );

  await t.step("it ends when it is told to, and when a connection is lost", async () => {
    const verifier = bench.verifier(tables);
    await assert.rejects(verifier.full(AbortSignal.abort(new Error("enough"))), /enough/);
    replay.caughtUp = (signal) => sleep(60_000, undefined, { signal });
    await assert.rejects(verifier.full(AbortSignal.timeout(50)));
    replay.caughtUp = () => Promise.resolve();
    await using blocker = await bench.data("source");
    await blocker.run("LOCK TABLES shop.w WRITE");
    await assert.rejects(verifier.full(AbortSignal.timeout(300)), { name: "TimeoutError" });
    const lost = assert.rejects(verifier.full(never), { code: "source-connection-lost" });
    let over = false;
    lost.then(() => over = true, () => over = true);
    // One that was let go of before may wait there still.
    await untilTrue("the lost connection is told", async () => {
      for (const row of await bench.source.query("SHOW PROCESSLIST")) {
        if (/lock/i.test(String(row.State))) await bench.source.run(`KILL ${row.Id}`).catch(() => {});
      }
      return over;
    });
    await lost;
    assert.equal(verifier.passed, null);
    await blocker.run("UNLOCK TABLES");
    await verifier.full(never);
    assert.equal(verifier.passed, true);
    await verifier.close();
  });

  await t.step("behind the fence it wants a full pass and data sessions", async () => {
    const verifier = bench.verifier(tables);
    const incomplete = { code: "verify-incomplete" };
    await assert.rejects(verifier.final(bench.source, bench.target, never), incomplete);
    await verifier.full(never);
    await assert.rejects(verifier.final(bench.source, bench.target, never), { code: "verify-session" });
    await verifier.close();
  });
});
