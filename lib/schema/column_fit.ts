/**
 * Whether a column that is there already can hold every value of the source's column, bit for bit.
 * @module
 */
import type { Column } from "./table.ts";
import { wireColumn } from "./wire_layout.ts";

/** What the two servers have to do with one another. */
export interface FitOptions {
  /** The target's name for a collation of the source, or `null`. */
  readonly collation: (name: string) => string | null;
  /** The column is part of the key: its values are compared as they travel. */
  readonly inKey: boolean;
}

const INTEGERS = ["tinyint", "smallint", "mediumint", "int", "bigint"];
/** Bytes that a text or a blob can have. */
const LONG: Readonly<Record<string, number>> = {
  tinytext: 0xff,
  text: 0xffff,
  mediumtext: 0xffffff,
  longtext: 0xffffffff,
  tinyblob: 0xff,
  blob: 0xffff,
  mediumblob: 0xffffff,
  longblob: 0xffffffff,
};

/** Equal or wider. */
export function columnFits(source: Column, target: Column, options: FitOptions): boolean {
  if (source.dataType === "json" && target.dataType === "longtext") return target.charset === "utf8mb4";
  if (!sameCharacters(source, target, options)) return false;
  if (options.inKey && !travelsAlike(source, target)) return false;
  if (bareType(source) === bareType(target)) return true;
  const from = source.dataType, to = target.dataType;
  if (INTEGERS.includes(from) && INTEGERS.includes(to)) return integerFits(source, target);
  if (from === "decimal" && to === "decimal") {
    return source.scale === target.scale && source.precision! <= target.precision! &&
      (source.unsigned || !target.unsigned);
  }
  if (from === "float" && to === "double") return !/\(/.test(target.columnType) && !target.unsigned;
  if (from === "bit" && to === "bit") return source.precision! <= target.precision!;
  if (from === "enum" && to === "enum" || from === "set" && to === "set") {
    // More labels behind those of the source.
    return target.columnType.startsWith(`${source.columnType.slice(0, -1)},`);
  }
  return stringFits(source, target);
}

/** Type, charset and collation as two servers of different age or vendor would both say them. */
export function columnText(column: Column): string {
  const modern = (name: string | null) => name?.replace(/^utf8(?=_|$)/, "utf8mb3") ?? null;
  const type = bareType(column);
  if (column.charset === null) return type;
  return `${type} ${modern(column.charset)} ${modern(column.collation)}`;
}

function bareType(column: Column): string {
  if (column.dataType === "enum" || column.dataType === "set") return column.columnType;
  return column.columnType
    .replace(/^(tinyint|smallint|mediumint|int|bigint|year)\(\d+\)/i, (_, name: string) => name.toLowerCase())
    .replace(/^geometrycollection$/, "geomcollection")
    .replace(/ zerofill$/, "")
    .replace(/ \/\*.*\*\/$/, "");
}

/** The same bytes are the same characters, and the same of them are equal. */
function sameCharacters(source: Column, target: Column, options: FitOptions): boolean {
  if (source.charset === null || target.charset === null) return source.charset === target.charset;
  const modern = (name: string) => name.replace(/^utf8(?=_|$)/, "utf8mb3");
  const wanted = options.collation(source.collation!);
  const there = modern(target.collation!);
  if (wanted !== null && modern(wanted) === there) return true;
  // Every character of three bytes is the same three bytes in the larger set.
  return modern(source.charset) === "utf8mb3" && target.charset === "utf8mb4" &&
    there === modern(source.collation!).replace("utf8mb3_", "utf8mb4_");
}

function travelsAlike(source: Column, target: Column): boolean {
  const a = wireColumn(source), b = wireColumn(target);
  if (source.dataType === "bit") return source.precision === target.precision;
  return a.span === b.span && a.unsigned === b.unsigned;
}

function integerFits(source: Column, target: Column): boolean {
  const from = INTEGERS.indexOf(source.dataType), to = INTEGERS.indexOf(target.dataType);
  if (source.unsigned === target.unsigned) return from <= to;
  return source.unsigned && from < to;
}

function stringFits(source: Column, target: Column): boolean {
  const from = source.dataType, to = target.dataType;
  const room = LONG[to];
  if (room !== undefined) {
    if (from in LONG) return from.endsWith("blob") === to.endsWith("blob") && LONG[from] <= room;
    if (from === "char" || from === "varchar") return to.endsWith("text") && source.octetLength! <= room;
    return (from === "binary" || from === "varbinary") && to.endsWith("blob") && source.octetLength! <= room;
  }
  const wide = characters(source) <= characters(target);
  if (to === "varchar") return wide && (from === "varchar" || from === "char");
  if (to === "char") return wide && from === "char";
  // Zero bytes are added at the end of a longer BINARY.
  if (to === "varbinary") return wide && (from === "varbinary" || from === "binary");
  return false;
}

/** The number in `varchar(20)`. */
function characters(column: Column): number {
  return Number(/\((\d+)\)/.exec(column.columnType)?.[1] ?? 0);
}
