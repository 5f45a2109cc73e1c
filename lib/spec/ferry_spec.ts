/**
 * What is asked for: one ferry, from one server to another. The JSON form of contract and README, checked and with its
 * defaults filled in.
 * @module
 */

/** A table's rows chosen by their parents: those whose `column` holds the key of a row of `parent` that is ferried. */
export interface ParentLink {
  /** Column of the child. */
  readonly column: string;
  /** `schema.table` of the parent on the source, one of the same ferry. */
  readonly parent: string;
}

/** A column, as a {@linkcode WhereFunction} is told of it. */
export interface FilterableColumn {
  /** Its name. */
  readonly name: string;
  /** Its type in full, as the server says it: `int unsigned`, `enum('a','b')`, … */
  readonly type: string;
  /** May hold NULL. */
  readonly nullable: boolean;
  /** Computed by the server. */
  readonly generated: boolean;
}

/** An index, as a {@linkcode WhereFunction} is told of it. */
export interface FilterableIndex {
  /** Its name. */
  readonly name: string;
  /** Forbids equal values. */
  readonly unique: boolean;
  /** Names of its columns; `null` where a part is an expression. */
  readonly columns: readonly (string | null)[];
}

/** A table of the source, as a {@linkcode WhereFunction} is told of it. */
export interface FilterableTable {
  /** Its schema. */
  readonly schema: string;
  /** Its name. */
  readonly name: string;
  /** Its columns, in order. */
  readonly columns: readonly FilterableColumn[];
  /** Its indexes. */
  readonly indexes: readonly FilterableIndex[];
  /** Columns of the key that it is copied by; none where it has no usable key. */
  readonly key: readonly string[];
  /** The server's guess of its rows, or `null`. */
  readonly rowsEstimated: number | null;
}

/**
 * Chooses the rows of a table: a row-local SQL expression, `null` for every row, `false` to leave the table out. It is
 * asked once an attempt and has to say the same each time. Only TypeScript can say it: a spec in JSON has texts.
 */
export type WhereFunction = (table: FilterableTable) => string | null | false;

/** One line of `tables`: a pattern, a filter, a new name. */
export interface TableSelection {
  /** `schema.table`; `*` matches within a part. */
  readonly table: string;
  /** A row-local SQL expression, a function that makes one for each table, or `null` for every row. */
  readonly where: string | WhereFunction | null;
  /** Only the rows of ferried parents, or `null`. */
  readonly through: ParentLink | null;
  /** `schema.table` on the target, or `null` for the same name. */
  readonly to: string | null;
}

/** Who stops the writes at the cutover. */
export type FenceKind = "none" | "lockTables" | "readOnly" | "schemaReadOnly" | "hook";

/** What of a schema beside its tables may be carried over. */
export type SchemaObject = "views" | "triggers" | "routines" | "events";

/** How rows are copied; may be changed while the ferry runs. */
export interface CopySettings {
  /** Ranges copied at the same time, at most: one more is taken as long as it makes the copy faster. */
  readonly concurrency: number;
  /** Bytes of rows that one chunk aims at. */
  readonly chunkBytes: number;
  /** Secondary indexes are built after the copy. Fixed once tables are made. */
  readonly deferIndexes: boolean;
}

/** A number of a server that slows the copy down. */
export interface ThrottleCheck {
  /** Which server. */
  readonly on: "source" | "target";
  /** A status variable, as in SHOW GLOBAL STATUS; `null` where it is a query. */
  readonly status: string | null;
  /** A query whose first value is the number; `null` where it is a status variable. */
  readonly query: string | null;
  /** Above it copying waits. */
  readonly max: number;
  /** Above it the ferry ends, `null` never. */
  readonly critical: number | null;
}

/** A replica whose lag counts. */
export interface ThrottleReplica {
  /** `mysql://…` with its password; never logged, stored or shown. */
  readonly url: string;
  /** Name of the named connection that it came from, or `null`. */
  readonly name: string | null;
}

/** When copying and comparing wait; the two caps are of copying alone. Replay never waits. `null`: not looked at. */
export interface ThrottleSettings {
  /** Seconds that the ferry's own replay, or one of `replicas`, may be behind. */
  readonly maxLagSeconds: number | null;
  /** Replicas of either end. */
  readonly replicas: readonly ThrottleReplica[];
  /** `Threads_running` of source and target. */
  readonly maxThreadsRunning: number | null;
  /** The same, above which the ferry ends. */
  readonly criticalThreadsRunning: number | null;
  /** Length of InnoDB's history list on the source: what long reads keep from being purged. */
  readonly maxHistoryListLength: number | null;
  /** Rows copied a second. */
  readonly maxRowsPerSecond: number | null;
  /** Bytes of rows copied a second. */
  readonly maxBytesPerSecond: number | null;
  /** Anything else that a server can tell. */
  readonly checks: readonly ThrottleCheck[];
  /** A URL that is asked every second: copying goes on while it answers 2xx. */
  readonly http: string | null;
}

/** Where events are posted; `null`: nowhere. */
export interface CallbackSettings {
  /** Each change of the state, and the end. */
  readonly state: string | null;
  /** How far it is, the latest. */
  readonly progress: string | null;
  /** A failure. */
  readonly error: string | null;
}

/** How and when the ferry cuts over. */
export interface CutoverSettings {
  /** `manual` waits for a person, `auto` goes on by itself. */
  readonly mode: "manual" | "auto";
  /** Who stops the writes. */
  readonly fence: FenceKind;
  /** Seconds that writes may be stopped before the fence is released and the ferry goes back to catching up. */
  readonly timeoutSeconds: number;
  /** Leave writes stopped on the source when done. */
  readonly keepFence: boolean;
}

/** A ferry, with every default filled in. */
export interface FerrySpec {
  /** Given by the caller, or a ULID. */
  readonly id: string;
  /** `mysql://…` with its password; never logged, stored or shown. */
  readonly source: string;
  /** `mysql://…` with its password; never logged, stored or shown. */
  readonly target: string;
  /** Name of the named connection that `source` came from, or `null`. */
  readonly sourceName: string | null;
  /** Name of the named connection that `target` came from, or `null`. */
  readonly targetName: string | null;
  /** What to ferry. */
  readonly tables: readonly TableSelection[];
  /** Patterns that are left out. */
  readonly exclude: readonly string[];
  /** New schema names, by old ones. */
  readonly renameSchemas: Readonly<Record<string, string>>;
  /** Whether missing target tables are made. */
  readonly createTables: "if-missing" | "never";
  /** What rows that are there already mean. */
  readonly existingRows: "refuse" | "merge";
  /** What becomes of tables without a usable key: refused, or copied whole while writes are stopped. */
  readonly keyless: "refuse" | "copyBehindFence";
  /** What is carried over at the cutover beside tables. */
  readonly objects: readonly SchemaObject[];
  /** How rows are copied. */
  readonly copy: CopySettings;
  /** Whether both sides are compared. */
  readonly verify: "full" | "off";
  /** How and when to cut over. */
  readonly cutover: CutoverSettings;
  /** When copying waits, or `null`. */
  readonly throttle: ThrottleSettings | null;
  /** Who is told, or `null`. */
  readonly callbacks: CallbackSettings | null;
}

/** What `PATCH` may change while a ferry runs. */
export interface SpecChange {
  /** New copy settings; what is left out stays. */
  readonly copy?: { readonly concurrency?: number; readonly chunkBytes?: number };
  /** The new throttle in place of the old one; `null` takes it away. */
  readonly throttle?: ThrottleSettings | null;
}
