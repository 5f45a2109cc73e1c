/**
 * Binlog events, built by hand.
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32 } from "../../lib/binlog/compression.ts";
import { EventType } from "../../lib/binlog/event_header.ts";
import type { Column, Table } from "../../lib/schema/table.ts";

/** What an event's header says beside its type. */
export interface HeaderFields {
  timestamp?: number;
  next?: number;
  flags?: number;
  /** `false`: no checksum behind it. */
  checksum?: boolean;
}

/** A whole event. */
export function event(type: number, body: Buffer, fields: HeaderFields = {}): Buffer {
  const { timestamp = 1_700_000_000, next = 0, flags = 0, checksum = true } = fields;
  const b = Buffer.alloc(19 + body.length + (checksum ? 4 : 0));
  b.writeUInt32LE(timestamp, 0);
  b[4] = type;
  b.writeUInt32LE(7, 5);
  b.writeUInt32LE(b.length, 9);
  b.writeUInt32LE(next, 13);
  b.writeUInt16LE(flags, 17);
  body.copy(b, 19);
  if (checksum) b.writeUInt32LE(crc32(b.subarray(0, -4)), b.length - 4);
  return b;
}

/** FORMAT_DESCRIPTION of a source with or without checksums. */
export function format(checksum = true, fields: HeaderFields = {}): Buffer {
  const body = Buffer.alloc(57 + 42 + 1);
  body[0] = 4;
  body[56] = 19;
  body[57 + EventType.TABLE_MAP - 1] = 8;
  body[57 + 42] = checksum ? 1 : 0;
  return event(EventType.FORMAT_DESCRIPTION, body, fields);
}

/** A statement; `status` are its status variables. */
export function query(text: string | Buffer, schema = "", status: Buffer = Buffer.alloc(0)): Buffer {
  const b = Buffer.alloc(13);
  b[8] = schema.length;
  b.writeUInt16LE(status.length, 11);
  return event(
    EventType.QUERY,
    Buffer.concat([b, status, Buffer.from(`${schema}\0`), Buffer.from(text as string)]),
  );
}

/** Status variables as a server writes them for a client whose character set has this collation. */
export function clientStatus(collation: number): Buffer {
  const text = [
    "00 00000000", // flags
    "01 a000400000000000", // sql_mode
    "06 03 737464", // catalog "std"
    "03 0100 0100", // auto_increment
    `04 ${hex16(collation)} 2d00 0800`, // client, connection, server
    "0c 01 73686f7000", // schemas
  ].join("");
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

function hex16(n: number): string {
  const b = Buffer.alloc(2);
  b.writeUInt16LE(n);
  return b.toString("hex");
}

/** The end of a transaction. */
export function xid(fields: HeaderFields = {}): Buffer {
  return event(EventType.XID, Buffer.alloc(8, 1), fields);
}

/** The XA transaction `x'61',x'',1` is prepared. */
export function xaPrepared(onePhase: number): Buffer {
  const body = Buffer.alloc(14);
  body[0] = onePhase;
  body.writeUInt32LE(1, 1);
  body.writeUInt32LE(1, 5);
  body[13] = 0x61;
  return event(EventType.XA_PREPARE, body);
}

/** An anonymous GTID. */
export function anonymous(): Buffer {
  return event(EventType.ANONYMOUS_GTID, Buffer.alloc(25));
}

/** ROTATE. */
export function rotate(file: string, offset: number, fields: HeaderFields = {}): Buffer {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(offset));
  return event(EventType.ROTATE, Buffer.concat([b, Buffer.from(file)]), fields);
}

/** TABLE_MAP body of a table whose columns are INTs, or of other types with their metadata. */
export function tableMapBody(
  id: number,
  schema: string,
  name: string,
  types: readonly number[] = [3, 3],
  meta: readonly number[] = [],
  optional: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(8);
  head.writeUIntLE(id, 0, 6);
  const text = (t: string) => Buffer.concat([Buffer.from([t.length]), Buffer.from(t), Buffer.alloc(1)]);
  return Buffer.concat([
    head,
    text(schema),
    text(name),
    Buffer.from([types.length, ...types, meta.length, ...meta]),
    Buffer.alloc((types.length + 7) >> 3),
    optional,
  ]);
}

/** TABLE_MAP. */
export function tableMap(...args: Parameters<typeof tableMapBody>): Buffer {
  return event(EventType.TABLE_MAP, tableMapBody(...args));
}

/** A v2 rows event of a table of two INTs: pairs of images for an update. */
export function rows(
  type: number,
  id: number,
  values: readonly (readonly [number, number])[],
  present = 0xff,
): Buffer {
  const head = Buffer.alloc(8);
  head.writeUIntLE(id, 0, 6);
  const bitmaps = type === EventType.UPDATE_ROWS ? [present, present] : [present];
  const images = values.map(([a, b]) => {
    const image = Buffer.alloc(9);
    image[0] = 0xfc; // neither is NULL; unused bits are set
    image.writeInt32LE(a, 1);
    image.writeInt32LE(b, 5);
    return image;
  });
  return event(type, Buffer.concat([head, Buffer.from([2, 0, 2, ...bitmaps]), ...images]));
}

/** A column, with what matters to a test. */
export function column(name: string, dataType: string, more: Partial<Column> = {}): Column {
  return {
    name,
    ordinal: 0,
    dataType,
    columnType: dataType,
    unsigned: false,
    charset: null,
    collation: null,
    octetLength: null,
    precision: null,
    scale: null,
    fraction: null,
    nullable: true,
    generated: false,
    ...more,
  };
}

/** A table of these columns; the key by name. */
export function table(
  columns: readonly Column[],
  key: readonly string[],
  schema = "shop",
  name = "t",
): Table {
  const placed = columns.map((c, ordinal) => ({ ...c, ordinal }));
  return {
    schema,
    name,
    columns: placed,
    keyName: "PRIMARY",
    key: key.map((k) => placed.find((c) => c.name === k)!),
    hasOtherUnique: false,
    rowsEstimated: null,
    bytesEstimated: null,
  };
}
