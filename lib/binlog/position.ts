/**
 * Places in a source's binlog, and which of two comes first.
 * @module
 */

/** A place between two events: the byte offset in one binlog file. */
export interface BinlogPosition {
  /** Name of the binlog file, such as `binlog.000042`. */
  readonly file: string;
  /** Byte offset in it; 4 is the start. Exact beyond 4 GiB. */
  readonly offset: number;
}

/** Negative where `a` is before `b`, 0 where they are the same place, positive where it is behind. */
export function comparePositions(a: BinlogPosition, b: BinlogPosition): number {
  return compareFiles(a.file, b.file) || a.offset - b.offset;
}

/** `file:offset`, for people. */
export function positionText(p: BinlogPosition): string {
  return `${p.file}:${p.offset}`;
}

/** Names end in a counter that grows a digit after 999999, so text order is wrong from there on. */
function compareFiles(a: string, b: string): number {
  if (a === b) return 0;
  return fileNumber(a) - fileNumber(b) || (a < b ? -1 : 1);
}

function fileNumber(file: string): number {
  const n = Number(file.slice(file.lastIndexOf(".") + 1));
  return Number.isNaN(n) ? 0 : n;
}
