/**
 * A verifier between two real servers, where the test stands for replay.
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { quoteTable } from "../../lib/mysql/identifier.ts";
import { keyString } from "../../lib/mysql/row_list.ts";
import { Session } from "../../lib/mysql/session.ts";
import type { Difference } from "../../lib/progress/resource.ts";
import { loadTables } from "../../lib/schema/load_tables.ts";
import { wireLayout } from "../../lib/schema/wire_layout.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";
import {
  type ReplayView,
  type VerifiedTable,
  Verifier,
  type VerifierOptions,
} from "../../lib/verify/verifier.ts";
import type { ServerPair } from "../servers/mod.ts";

/** The signal of what is not let go of. */
export const never = new AbortController().signal;
/** Differences as `key kind`, sorted. */
export const onlyWords = (d: readonly Difference[]) =>
  d.map((x) => `${Object.values(x.key).join("/")} ${x.kind}`).sort();

/** Stands for replay: the test says what is delivered, and when it is on the target. */
export class FakeReplay implements ReplayView {
  readonly #watches = new Set<{ table: number; keys: Set<string> }>();
  caughtUp: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  watch(table: number) {
    const watch = { table, keys: new Set<string>() };
    this.#watches.add(watch);
    return { keys: watch.keys, stop: () => void this.#watches.delete(watch) };
  }

  deliver(table: number, ...keys: string[]): void {
    for (const w of this.#watches) if (w.table === table) keys.forEach((key) => w.keys.add(key));
  }
}

/** Both servers with talk sessions on them, and what makes a verifier. */
export class Bench implements AsyncDisposable {
  readonly replay = new FakeReplay();
  readonly #verifiers: Verifier[] = [];

  private constructor(readonly pair: ServerPair, readonly source: Session, readonly target: Session) {}

  static async open(pair: ServerPair): Promise<Bench> {
    const open = (url: string) => Session.open(parseConnectionUrl(url), { side: "target" });
    const bench = new Bench(pair, await open(pair.source.url), await open(pair.target.url));
    await bench.both("CREATE DATABASE shop");
    return bench;
  }

  async both(...statements: string[]): Promise<void> {
    for (const sql of statements) await Promise.all([this.source.run(sql), this.target.run(sql)]);
  }

  data(side: "source" | "target"): Promise<Session> {
    return Session.open(parseConnectionUrl(this.pair[side].url), { side, data: true });
  }

  async tables(...names: string[]): Promise<VerifiedTable[]> {
    const loaded = await loadTables(this.source, (schema, name) => schema === "shop" && names.includes(name));
    assert.equal(loaded.length, names.length);
    return loaded.map(({ table }, index) => {
      const layout = wireLayout(table);
      return {
        index,
        table,
        target: table,
        layout,
        targetLayout: layout,
        sameOrder: true,
        signedZero: true,
        sourceCondition: null,
        targetCondition: null,
      };
    });
  }

  verifier(
    tables: readonly VerifiedTable[],
    more: Pick<VerifierOptions, "chunkRows" | "dirtyLimit" | "allowed"> = {},
  ): Verifier {
    const openSession = (side: "source" | "target") => this.data(side);
    const verifier = new Verifier({ tables, openSession, replay: this.replay, ...more });
    this.#verifiers.push(verifier);
    return verifier;
  }

  /** What a full pass finds. */
  async found(name: string, more: { chunkRows?: number } = {}): Promise<readonly Difference[]> {
    const verifier = this.verifier(await this.tables(name), more);
    await verifier.full(never);
    assert.equal(verifier.passed, verifier.progress.differenceCount === 0);
    assert.equal(verifier.progress.differences.length, verifier.progress.differenceCount);
    assert.equal(verifier.progress.tablesVerified.size, verifier.passed ? 1 : 0);
    await verifier.close();
    return verifier.progress.differences;
  }

  /** The wire key of the one row that `where` finds. */
  async key(t: VerifiedTable, where: string): Promise<string> {
    const session = await this.data("source");
    try {
      const row = await session.one(`SELECT id FROM ${quoteTable(t.table)} WHERE ${where}`);
      const b = Buffer.alloc(4);
      b.writeInt32LE(row!.id);
      return keyString(b, 0, 4);
    } finally {
      await session.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const verifier of this.#verifiers) await verifier.close();
    await Promise.all([this.source.close(), this.target.close()]);
  }
}
