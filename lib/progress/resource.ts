/**
 * The one snapshot of a ferry. The JSON resource, the event stream, the terminal and the metrics are renderings of it.
 * An unknown number is `null`, never 0.
 * @module
 */
import type { FerryAction, FerryState, Hold } from "../ferry/ferry_state.ts";

/** How far one table is. */
export interface TableProgress {
  /** `schema.table` on the source. */
  readonly source: string;
  /** `schema.table` on the target. */
  readonly target: string;
  /** Where this table is. */
  readonly state: "waiting" | "copying" | "copied" | "indexing" | "verifying" | "verified" | "differing";
  /** Rows written by the copy. */
  readonly rowsCopied: number;
  /** The server's guess of how many there are. */
  readonly rowsEstimated: number | null;
  /** Bytes of rows written by the copy. */
  readonly bytesCopied: number;
  /** `true` when every range was found equal; `null` while not known. */
  readonly verified: boolean | null;
  /**
   * Its key range from the first key to the last, one letter a cell: `.` to come, `c` copied, `r` changed again in the last
   * seconds, `v` verified, `d` differing; `null` while its ranges are not known, or where it has none.
   */
  readonly strip: string | null;
}

/** Numbers over all tables. */
export interface Progress {
  /** Rows written by the copy. */
  readonly rowsCopied: number;
  /** The server's guess, or `null` where one table has none. */
  readonly rowsEstimated: number | null;
  /** Bytes of rows written by the copy. */
  readonly bytesCopied: number;
  /** Rows copied a second, over the last seconds. */
  readonly rowsPerSecond: number | null;
  /** Row changes of the binlog that were written to the target. */
  readonly changesApplied: number;
  /** Row changes collected and not yet written. */
  readonly changesPending: number | null;
  /** Seconds between a commit on the source and now, for the oldest change that is not on the target. */
  readonly lagSeconds: number | null;
  /** Seconds until the copy is through, at the present rate. */
  readonly etaSeconds: number | null;
}

/** Where in the source's binlog the target stands. */
export interface PositionResource {
  /** Binlog file. */
  readonly file: string;
  /** Byte in it. */
  readonly position: number;
  /** GTIDs replayed since the start, or `null` without GTIDs. */
  readonly gtidSet: string | null;
}

/** One row that differs. */
export interface Difference {
  /** `schema.table` on the source. */
  readonly table: string;
  /** Its key, readable: column name to text. */
  readonly key: Readonly<Record<string, string | null>>;
  /** Which side lacks it, or that the rows are unlike. */
  readonly kind: "missing on target" | "only on target" | "unlike";
}

/** What the comparison of both sides says. */
export interface Verification {
  /** How it stands. */
  readonly state: "pending" | "running" | "passed" | "failed" | "off";
  /** Rows of the source compared so far. */
  readonly rowsCompared: number;
  /** The first hundred rows that differ. */
  readonly differences: readonly Difference[];
}

/** One finding of the preflight. */
export interface Finding {
  /** `error` refuses the ferry. */
  readonly level: "error" | "warning" | "info";
  /** Stable, kebab-case. */
  readonly code: string;
  /** A server, a table, a setting. */
  readonly subject: string;
  /** What was seen. */
  readonly detail: string;
  /** What is needed. */
  readonly hint: string;
}

/** A ferry as the outside sees it. */
export interface FerryResource {
  /** Its id. */
  readonly id: string;
  /** Where it is. */
  readonly state: FerryState;
  /** A person holds it. */
  readonly paused: boolean;
  /** What is held: copying and comparing, or replay too; `null` while it is not paused. */
  readonly hold: Hold | null;
  /** Why it is slowed down, and by what: the reason holds a number that moves, the name does not; or `null`. */
  readonly throttled: { readonly reason: string; readonly name: string } | null;
  /** Times it was taken up again after a loss. */
  readonly resumedTimes: number;
  /** Source URL, password masked. */
  readonly source: string;
  /** Target URL, password masked. */
  readonly target: string;
  /** Each table. */
  readonly tables: readonly TableProgress[];
  /** Over all tables. */
  readonly progress: Progress;
  /** Where replay stands; `null` before it began. */
  readonly position: PositionResource | null;
  /** The comparison of both sides. */
  readonly verification: Verification;
  /** The cutover: tries, milliseconds that writes were stopped, position that ended it. */
  readonly cutover: {
    readonly attempts: number;
    readonly writesStoppedMs: number | null;
    readonly position: PositionResource | null;
    /** This process still holds the fence: writes to the source's tables wait until it ends. */
    readonly fenceKept: boolean;
  };
  /** Each phase that was entered, in order; times are ISO 8601. */
  readonly phases: readonly {
    readonly state: FerryState;
    readonly startedAt: string;
    readonly endedAt: string | null;
  }[];
  /** What may be posted now. */
  readonly actions: readonly FerryAction[];
  /** Why it failed, or `null`. */
  readonly error: {
    readonly code: string;
    readonly detail: string;
    readonly hint: string | null;
    readonly retryable: boolean;
    /** With `preflight-refused`: everything that was found. */
    readonly findings?: readonly Finding[];
  } | null;
  /** ISO 8601. */
  readonly createdAt: string;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** ISO 8601; `null` while it runs. */
  readonly endedAt: string | null;
}

/** One event of a ferry's stream. */
export interface FerryEvent {
  /** Grows by one and survives a restart. */
  readonly id: number;
  /** Latest wins for `progress`; the last three end the stream. */
  readonly type: "state" | "progress" | "log" | "done" | "failed" | "cancelled";
  /** What goes into `data:`; always carries a `text` for people, and `at`, when it happened, in ISO 8601. */
  readonly data: { readonly text: string; readonly at?: string; readonly [field: string]: unknown };
}
