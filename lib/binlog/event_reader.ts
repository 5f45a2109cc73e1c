/**
 * From binlog events to calls of a {@link TailHandler}: a whitelist of types, the table maps, where transactions begin
 * and end. No I/O: it is fed the bytes of one event after another. What it cannot understand stops it (I9).
 * @module
 */
import type { Buffer } from "node:buffer";
import { Arena } from "../mysql/arena.ts";
import { FerryError } from "../errors.ts";
import { crc32, inflateEvent, inflateTransaction, isInflateError } from "./compression.ts";
import * as header from "./event_header.ts";
import { EventType, HEADER_LENGTH } from "./event_header.ts";
import { ANNOUNCES_STATEMENT, CHECKSUM_LENGTH, readFormat, SILENT } from "./event_policy.ts";
import { mariadbGtid, mysqlGtid, mysqlTaggedGtid } from "./gtid_event.ts";
import { type BinlogPosition, positionText } from "./position.ts";
import { parseQuery, queryRole, xaPrepare, xaStatementXid } from "./query_event.ts";
import { parseRowsHead, ROWS_EVENTS, type RowsShape } from "./rows_event.ts";
import { RunningPosition } from "./running_position.ts";
import { TableMaps } from "./table_maps.ts";
import { tableIdAt } from "./table_map.ts";
import type { BoundTable, TailHandler, TransactionEnd } from "./tail_handler.ts";

const XA_HINT = "Another try meets it again; start another ferry when XA RECOVER lists nothing on the source";

/** Fed with events, it calls its handler. */
export class EventReader<T extends BoundTable> {
  readonly #handler: TailHandler<T>;
  readonly #position: RunningPosition;
  readonly #tables: TableMaps<T>;
  readonly #out = new Arena();
  #complete: BinlogPosition;
  #checksum = true;

  /** A transaction has begun and not ended. */
  #open = false;
  /** It ends with XID or COMMIT; otherwise the next statement is all of it. */
  #explicit = false;
  /** Rows of a bound table were in it. */
  #touched = false;
  #gtid: string | null = null;
  /** XA transactions that were prepared before our eyes and hold nothing of ours; new with every change. */
  #prepared: readonly string[];

  /** Reads from `start` on; `prepared` is what an earlier reader knew there. */
  constructor(start: BinlogPosition, handler: TailHandler<T>, prepared: readonly string[] = []) {
    this.#prepared = prepared;
    this.#handler = handler;
    this.#position = new RunningPosition(start);
    this.#complete = start;
    this.#tables = new TableMaps(handler);
  }

  /** Where the stream is, which may be inside a transaction. */
  get position(): BinlogPosition {
    return this.#position.now();
  }

  /** Takes one event as it came: `b[o, end)` with its checksum. The bytes are not kept. */
  read(b: Buffer, o: number, end: number): void {
    const type = header.eventType(b, o);
    try {
      this.#enter(type, b, o, end);
    } catch (e) {
      if (e instanceof FerryError && e.code !== "row-decode" && e.code !== "event-decode") throw e;
      if (!(e instanceof RangeError) && !(e instanceof FerryError) && !isInflateError(e)) throw e;
      // A handler's own RangeError lands here too: it stops the tail all the same, with its text.
      const code = ROWS_EVENTS.has(type) || type === EventType.TRANSACTION_PAYLOAD
        ? "row-decode"
        : "event-decode";
      throw this.#fail(code, (e as Error).message, type, e);
    }
  }

  #enter(type: number, b: Buffer, o: number, end: number): void {
    const flags = header.eventFlags(b, o);
    const length = header.eventLength(b, o);
    if (length !== end - o) throw this.#fail("event-decode", `${end - o} bytes came, not ${length}`, type);
    if (type === EventType.FORMAT_DESCRIPTION) this.#format(b, o, end);
    else if (this.#checksum) {
      end -= CHECKSUM_LENGTH;
      if (crc32(b.subarray(o, end)) !== b.readUInt32LE(end)) {
        throw this.#fail("binlog-checksum", "its checksum does not hold", type);
      }
    }
    this.#position.advance(type, length, header.eventNextPosition(b, o), flags);
    this.#dispatch(type, b, o, end, flags);
  }

  /** `end` is before the checksum. Events inside a compressed transaction come here directly. */
  #dispatch(type: number, b: Buffer, o: number, end: number, flags: number): void {
    const body = o + HEADER_LENGTH;
    const rows = ROWS_EVENTS.get(type);
    if (rows !== undefined) return this.#rows(rows, type, b, body, end);
    switch (type) {
      case EventType.TABLE_MAP:
        return this.#tables.take(b, body, end);
      case EventType.XID:
        return this.#commit(header.eventTimestamp(b, o));
      case EventType.QUERY:
      case EventType.MARIADB_QUERY_COMPRESSED:
        return this.#query(type, b, o, end);
      case EventType.GTID:
        return this.#begin(mysqlGtid(b, body), false);
      case EventType.GTID_TAGGED:
        return this.#begin(mysqlTaggedGtid(b, body, end), false);
      case EventType.ANONYMOUS_GTID:
        return this.#begin(null, false);
      case EventType.MARIADB_GTID: {
        const { gtid, standalone } = mariadbGtid(b, o);
        return this.#begin(gtid, !standalone);
      }
      case EventType.TRANSACTION_PAYLOAD:
        return this.#payload(b, body, end);
      case EventType.HEARTBEAT:
      case EventType.HEARTBEAT_V2:
        if (!this.#open) this.#handler.heartbeat(this.position);
        return;
      case EventType.ROTATE:
        this.#nothingOpen(type);
        return this.#position.rotate(b.toString("utf8", body + 8, end), Number(b.readBigUInt64LE(body)));
      case EventType.FORMAT_DESCRIPTION:
        return this.#nothingOpen(type);
      case EventType.XA_PREPARE:
        return this.#xaPrepare(b, o);
      case EventType.PARTIAL_UPDATE_ROWS:
        if (this.#tables.find(tableIdAt(b, body)) === null) return;
        throw this.#fail("row-image-partial", "binlog_row_value_options=PARTIAL_JSON is set", type);
      case EventType.INCIDENT:
        throw this.#fail("binlog-incident", "the source lost events here", type);
    }
    if (SILENT.has(type) || (flags & header.FLAG_IGNORABLE) !== 0) return;
    if (ANNOUNCES_STATEMENT.has(type)) {
      throw this.#fail("statement-format", "it announces a change in statement format", type);
    }
    throw this.#fail("binlog-event-unknown", "this type of event is not known", type);
  }

  #rows(shape: RowsShape, type: number, b: Buffer, body: number, end: number): void {
    const id = tableIdAt(b, body);
    const bound = this.#tables.find(id);
    if (bound === null) return;
    const head = parseRowsHead(b, body, shape);
    if (bound === undefined) {
      if (head.images === end) return; // a dummy that only ends a statement
      throw this.#fail("row-decode", `table id ${id} has no table map`, type);
    }
    if (!head.full) throw this.#fail("row-image-not-full", "an image lacks columns", type);
    if (head.columnCount !== bound.columnCount) {
      throw this.#fail("row-decode", `it has ${head.columnCount} columns, its table map others`, type);
    }
    this.#touched = true;
    let o = head.images;
    if (shape.compressed) {
      b = inflateEvent(b, o, end);
      o = 0;
      end = b.length;
    }
    const { table } = bound;
    const { transcoder } = table;
    const out = this.#out;
    while (o < end) {
      out.end = 0;
      if (shape.action === "insert") {
        o = transcoder.row(b, o, end, out);
        this.#handler.insert(table, out, 0, transcoder.keyEnd, out.end);
      } else {
        o = transcoder.key(b, o, end, out);
        const key = out.end;
        if (shape.action === "update") {
          o = transcoder.row(b, o, end, out);
          this.#handler.update(table, out, 0, key, key, transcoder.keyEnd, out.end);
        } else this.#handler.remove(table, out, 0, key);
      }
    }
    out.clear();
  }

  #payload(b: Buffer, body: number, end: number): void {
    const events = inflateTransaction(b, body, end);
    for (let o = 0; o < events.length;) {
      const behind = o + header.eventLength(events, o);
      if (behind > events.length || behind === o) throw new RangeError("an event in a payload is cut off");
      this.#dispatch(header.eventType(events, o), events, o, behind, header.eventFlags(events, o));
      o = behind;
    }
  }

  #query(type: number, b: Buffer, o: number, end: number): void {
    const compressed = type === EventType.MARIADB_QUERY_COMPRESSED;
    const { texts, schema } = parseQuery(b, o + HEADER_LENGTH, end, compressed);
    const [text] = texts;
    const role = queryRole(text);
    const time = header.eventTimestamp(b, o);
    switch (role) {
      case "begin":
      case "xa-begin":
        if (!this.#open) this.#begin(null, true);
        this.#explicit = true;
        return;
      case "commit":
        return this.#commit(time);
      case "rollback":
      case "rollback-to":
        // Rows are undone that were delivered: the servers only write this where other engines took part.
        if (this.#touched) {
          throw this.#fail("binlog-rollback", `rows of a ferried table are undone: ${text}`, type);
        }
        return role === "rollback" ? this.#commit(time) : undefined;
      case "savepoint":
      case "xa-end":
        return;
      case "xa-commit":
        // Prepared before the ferry's first position: what it changes was never delivered, to no tail.
        if (!this.#resolve(xaStatementXid(text))) {
          throw this.#fail("xa-transaction", `it was prepared before the ferry began: ${text}`, type);
        }
        return this.#commit(time);
      case "xa-rollback":
        this.#resolve(xaStatementXid(text));
        return this.#commit(time);
      case "statement":
        return this.#statement(texts, schema, time);
    }
  }

  #statement(texts: readonly string[], schema: string, time: number): void {
    if (!this.#open) this.#begin(null, false);
    // CREATE TABLE … SELECT: rows follow, and an XID.
    if (/\sSTART\s+TRANSACTION\s*$/i.test(texts[0].slice(-64))) this.#explicit = true;
    const explicit = this.#explicit;
    const end = explicit
      ? { position: this.#complete, gtid: this.#gtid, timestamp: time, prepared: this.#prepared }
      : this.#end(time);
    for (const text of texts) this.#handler.statement(text, schema, end);
    if (!explicit) this.#handler.commit(end);
  }

  #begin(gtid: string | null, explicit: boolean): void {
    this.#nothingOpen(EventType.GTID);
    this.#tables.prune();
    this.#open = true;
    this.#explicit = explicit;
    this.#touched = false;
    this.#gtid = gtid;
    this.#handler.begin(gtid);
  }

  #commit(timestamp: number): void {
    if (!this.#open) this.#begin(null, true);
    this.#handler.commit(this.#end(timestamp));
  }

  #end(timestamp: number): TransactionEnd {
    const end = { position: this.position, gtid: this.#gtid, timestamp, prepared: this.#prepared };
    this.#complete = end.position;
    this.#open = false;
    this.#touched = false;
    this.#gtid = null;
    return end;
  }

  #xaPrepare(b: Buffer, o: number): void {
    const { xid, onePhase } = xaPrepare(b, o + HEADER_LENGTH);
    if (!onePhase) {
      // Whether it will be committed is told later, and by another transaction.
      if (this.#touched) {
        throw this.#fail(
          "xa-transaction",
          "a prepared XA transaction changes a ferried table",
          EventType.XA_PREPARE,
        );
      }
      this.#prepared = [...this.#prepared, xid];
    }
    this.#commit(header.eventTimestamp(b, o));
  }

  /** Whether the XA transaction was one that holds nothing of ours. */
  #resolve(xid: string): boolean {
    const before = this.#prepared.length;
    this.#prepared = this.#prepared.filter((known) => known !== xid);
    return this.#prepared.length < before;
  }

  /** A new file or transaction while one with our rows is open: its end is missing, and was it ever committed? */
  #nothingOpen(type: number): void {
    if (!this.#open) return;
    if (this.#touched) {
      throw this.#fail("binlog-transaction-cut", "the transaction before it has no end", type);
    }
    this.#open = false;
  }

  #format(b: Buffer, o: number, end: number): void {
    const { known, checksum } = readFormat(b, o, end);
    if (!known) {
      throw this.#fail(
        "binlog-event-unknown",
        "this layout of events is not known",
        EventType.FORMAT_DESCRIPTION,
      );
    }
    this.#checksum = checksum;
  }

  #fail(code: string, state: string, type: number, cause?: unknown): FerryError {
    const at = positionText(this.position);
    return new FerryError(
      code,
      `Cannot read the binlog up to "${at}", event ${header.eventName(type)}: ${state}`,
      {
        ...(cause === undefined ? {} : { cause }),
        ...(code === "xa-transaction" ? { hint: XA_HINT } : {}),
      },
    );
  }
}
