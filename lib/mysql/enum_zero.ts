/**
 * Index 0 of an ENUM: what a server without strict mode made of a label that it did not know. It is a value like any
 * other (`''`, and not the label `''`), but a strict session refuses it (1265), so such rows are written without strict
 * mode. Without it a server also cuts values short, with the same warning; therefore the warnings are counted: each
 * index 0 gives exactly one, and one more than that stops the ferry like any other warning.
 * @module
 */
import type { Buffer } from "node:buffer";
import { errorNumber } from "../errors.ts";
import type { WireColumn } from "../schema/wire_layout.ts";
import { valueSize } from "./execute_packet.ts";
import type { Outcome, Session } from "./session.ts";

/** "Data truncated for column": an error in strict mode, a warning without. */
const TRUNCATED = 1265;
/** Warnings that MariaDB keeps for SHOW WARNINGS. */
const KEPT_WARNINGS = 64;

/** Whether a write may have been refused for an index 0. */
export function mayBeEnumZero(error: unknown, columns: readonly WireColumn[]): boolean {
  return errorNumber(error) === TRUNCATED && columns.some(isEnum);
}

/** Rows of one statement at most, so that every warning of it can be looked at. */
export function enumZeroRows(columns: readonly WireColumn[]): number {
  return Math.max(1, Math.floor(KEPT_WARNINGS / columns.filter(isEnum).length));
}

/** How many ENUMs of the wire row at `start` hold index 0. */
export function countEnumZeros(b: Buffer, start: number, columns: readonly WireColumn[]): number {
  let zeros = 0;
  let o = start + ((columns.length + 9) >> 3);
  for (let i = 0; i < columns.length; i++) {
    if (b[start + ((i + 2) >> 3)] & (1 << ((i + 2) & 7))) continue;
    if (isEnum(columns[i]) && b.readUInt32LE(o) === 0 && b.readUInt32LE(o + 4) === 0) zeros++;
    o += valueSize(b, o, columns[i]);
  }
  return zeros;
}

/** Runs a write without strict mode. Answers `null`, or the warning that the `zeros` of its rows do not account for. */
export async function writeEnumZeros(
  session: Session,
  zeros: number,
  write: () => Promise<Outcome>,
): Promise<string | null> {
  await session.run("SET SESSION sql_mode = REPLACE(@@sql_mode, 'STRICT_ALL_TABLES', '')");
  try {
    const outcome = await write();
    if (outcome.warnings === 0 && zeros === 0) return null;
    const warnings = await session.query("SHOW WARNINGS");
    const other = warnings.find((w) => Number(w.Code) !== TRUNCATED);
    if (other === undefined && outcome.warnings === zeros && warnings.length === zeros) return null;
    return String((other ?? warnings.at(-1))?.Message);
  } finally {
    if (session.usable) await session.run("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')");
  }
}

function isEnum(c: WireColumn): boolean {
  return c.column.dataType === "enum";
}
