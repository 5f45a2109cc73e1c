/**
 * The line that changes come along: from the source's binlog through replay into the target.
 * @module
 */
import { comparePositions } from "../binlog/position.ts";
import { BinlogTail } from "../binlog/tail.ts";
import { Delivered } from "../copy/delivered.ts";
import { type ReadPoint, readPointFor } from "../copy/read_point.ts";
import type { Session } from "../mysql/session.ts";
import { driverOptions } from "../mysql/driver_options.ts";
import type { FerryPlan } from "../preflight/preflight.ts";
import { Dependencies } from "../replay/dependencies.ts";
import { Dependents } from "../replay/dependents.ts";
import { Flusher } from "../replay/flusher.ts";
import { ImageFilter } from "../replay/image_filter.ts";
import { KeyNotes } from "../replay/key_notes.ts";
import { type BoundTable, Replayer } from "../replay/replayer.ts";
import { SourceReads } from "../replay/source_reads.ts";
import { tableLabel } from "../schema/table.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";
import type { CursorStore, StoredPosition } from "../state/cursor_store.ts";
import type { Ownership } from "../state/ownership.ts";
import type { Manifest } from "./manifest.ts";
import { tailStart } from "./tail_start.ts";

/** Milliseconds between two flushes while chunks want the tables too, and afterwards. */
const COPY_FLUSH_MS = 200;
const FOLLOW_FLUSH_MS = 5;

/** What a line is laid with. */
export interface ReplayLineOptions {
  /** The source's URL. */
  readonly source: string;
  /** What preflight found. */
  readonly plan: FerryPlan;
  /** Whose changes are replayed. */
  readonly manifest: Manifest;
  /** Where it begins. */
  readonly saved: StoredPosition;
  /** Where the position goes. */
  readonly cursors: CursorStore;
  /** Under which lease. */
  readonly own: Ownership;
  /** A talk session on the source, which may be dressed for read points. */
  readonly statusSession: Session;
  /** Opens a data session that ends with the attempt. */
  readonly open: (side: "source" | "target") => Promise<Session>;
  /** Resolves when changes may be replayed. */
  readonly allowed: (signal: AbortSignal) => Promise<void>;
}

/** One attempt's replay. */
export class ReplayLine {
  private constructor(
    private readonly options: ReplayLineOptions,
    private readonly tail: BinlogTail<BoundTable>,
    /** What was delivered and is not on the target. */
    readonly replayer: Replayer,
    /** Puts it there. */
    readonly flusher: Flusher,
    /** Follows changes to other tables' rows. */
    readonly dependents: Dependents,
    /** The moment that a read of the source shows (I1). */
    readonly readPoint: ReadPoint,
  ) {}

  /** Lays it, so that chunks can be read. Nothing flows before {@linkcode start}. */
  static async lay(options: ReplayLineOptions): Promise<ReplayLine> {
    const { plan, manifest, saved, cursors, own, open } = options;
    const delivered = new Delivered({ file: saved.file, offset: saved.offset }, saved.gtids);
    const dependencies = new Dependencies(manifest.tables, plan.cascades);
    let full = false;
    const replayer = new Replayer(
      new Map(manifest.tables.map((t) => [tableLabel(t.table), t])),
      delivered,
      new KeyNotes(dependencies),
      (pressure) => {
        if (pressure === full) return;
        full = pressure;
        if (pressure) tail.pause();
        else tail.resume();
      },
      new Set(manifest.keyless.map((t) => tableLabel(t.table))),
      saved.prepared,
    );
    const readPoint = readPointFor(plan.source, delivered);
    await readPoint.dress(options.statusSession);
    const session = await open("target");
    const source = new SourceReads(() => open("source"), readPoint);
    const dependents = new Dependents(dependencies, session, source);
    const flusher = new Flusher({
      replayer,
      dependents,
      filter: new ImageFilter(() => open("source"), plan.source.vendor === "mariadb"),
      session,
      bulk: plan.target.vendor === "mariadb",
      cursors,
      own,
      saved,
      allowed: options.allowed,
    });
    flusher.intervalMs = COPY_FLUSH_MS;
    const tail: BinlogTail<BoundTable> = new BinlogTail<BoundTable>({
      connection: driverOptions(parseConnectionUrl(options.source)),
      serverId: 0x4000_0000 + Math.floor(Math.random() * 0x3fff_ffff),
      ...tailStart(saved),
      prepared: saved.prepared,
      handler: replayer,
      heartbeatSeconds: 0.5,
    });
    return new ReplayLine(options, tail, replayer, flusher, dependents, readPoint);
  }

  /** Connects; resolves when events flow. */
  start(signal: AbortSignal): Promise<void> {
    return this.tail.start(signal);
  }

  /** Flushes until `signal` aborts. Rejects with what ended either half of the line. */
  run(signal: AbortSignal): Promise<void> {
    return Promise.race([this.tail.done, this.flusher.run(signal)]);
  }

  /** Ends it on both sides. */
  stop(): Promise<void> {
    return this.tail.stop();
  }

  /** Copying is through: changes need not make room for chunks any more. */
  follow(): void {
    this.flusher.intervalMs = FOLLOW_FLUSH_MS;
  }

  /** Row changes that are not on the target. */
  get pending(): number {
    return this.replayer.pendingChanges + this.flusher.inFlight;
  }

  /** Seconds that the target is behind the source; `null` before the source has been heard. */
  lagSeconds(): number | null {
    if (!this.replayer.heard) return null;
    if (comparePositions(this.flusher.applied.position, this.replayer.complete) >= 0) return 0;
    const oldest = this.flusher.oldestTimestamp;
    if (oldest === null) return 0;
    return Math.max(0, (Date.now() + this.options.plan.source.clockAheadMs) / 1000 - oldest);
  }
}
