/**
 * One number for a whole table, whatever the order of its rows.
 * @module
 */
import { FerryError } from "../errors.ts";
import { quoteTable } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import { counted } from "../progress/wording.ts";
import { tableLabel } from "../schema/table.ts";
import { rowHashSql } from "./row_hash.ts";
import type { VerifiedTable } from "./table_reads.ts";

/**
 * Number of rows, and the sums of two quarters of their hashes. Sums and not XORs, which two equal rows would leave as
 * they were. The hash stands there for each of them: a derived table of all hashes would be as long as the table.
 * On a data session.
 */
export async function tableSum(
  session: Session,
  verified: VerifiedTable,
  side: "source" | "target",
): Promise<string> {
  const place = side === "source" ? verified.table : verified.target;
  const layouts = [verified.layout, verified.targetLayout];
  const [layout, other] = side === "source" ? layouts : layouts.toReversed();
  const condition = side === "source" ? verified.sourceCondition : verified.targetCondition;
  const hash = rowHashSql(layout, verified.table, other, verified.signedZero);
  const quarter = (at: number) =>
    `COALESCE(SUM(CAST(CONV(SUBSTR(${hash},${at},16),16,10) AS DECIMAL(20,0))),0)`;
  const row = (await session.one(
    `SELECT COUNT(*) AS n, COUNT(${hash}) AS hashes, ${quarter(1)} AS a, ${quarter(17)} AS b ` +
      `FROM ${quoteTable(place)}${condition === null ? "" : ` WHERE ${condition}`}`,
  ))!;
  const missing = Number(row.n) - Number(row.hashes);
  if (missing !== 0) {
    throw new FerryError(
      "verify-no-hash",
      `Cannot verify "${tableLabel(place)}": the server made no hash of ${counted(missing, "row")}`,
      { hint: "A row's text is larger than max_allowed_packet; raise it on both servers" },
    );
  }
  return [row.n, row.a, row.b].join(" ");
}
