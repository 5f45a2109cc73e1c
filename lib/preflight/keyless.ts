/**
 * Tables without a usable key: refused, or copied whole behind the fence, when asked.
 * @module
 */
import { tableLabel } from "../schema/table.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import type { Finding } from "../progress/resource.ts";
import { counted } from "../progress/wording.ts";
import { refuse, warn } from "./finding.ts";
import type { Pair } from "./pairs.ts";

/** What one core copies and compares in a second, carefully: for the estimate. */
const ROWS_PER_SECOND = 50_000;
const BYTES_PER_SECOND = 20_000_000;

/** What is to be said of the tables without a key. */
export function judgeKeyless(
  pairs: readonly Pair[],
  spec: Pick<FerrySpec, "keyless" | "existingRows" | "cutover">,
): Finding[] {
  return pairs.filter((pair) => pair.source.table.key.length === 0).map((pair) => {
    const { table } = pair.source;
    const label = tableLabel(table);
    if (spec.keyless === "refuse") {
      return refuse(
        "no-key",
        label,
        `Cannot copy table "${label}": no primary or unique key`,
        "A primary key, or a unique key of whole, stored columns that are NOT NULL; " +
          'or keyless "copyBehindFence", which copies it while writes are stopped',
      );
    }
    const cannot = (state: string) => `Cannot copy table "${label}" behind the fence: ${state}`;
    if (spec.existingRows === "merge") {
      return refuse(
        "keyless-merge",
        label,
        cannot("without a key its rows can't be told from those of others"),
        'A key, or a target table of its own and existingRows "refuse"',
      );
    }
    if (pair.through !== null) {
      return refuse(
        "keyless-through",
        label,
        cannot("its rows are chosen through a parent, which a copy of the whole doesn't do"),
        "A key, or a where",
      );
    }
    const rows = table.rowsEstimated ?? 0;
    const bytes = table.bytesEstimated ?? 0;
    const seconds = Math.max(1, Math.ceil(rows / ROWS_PER_SECOND + bytes / BYTES_PER_SECOND));
    const late = seconds > spec.cutover.timeoutSeconds / 2;
    return warn(
      "keyless-behind-fence",
      label,
      `Table "${label}" has no key: writes stay stopped while its rows are copied, about ${
        counted(rows, "row")
      } ` +
        `(${Math.ceil(bytes / 1_000_000)} MB), perhaps ${seconds} s`,
      late
        ? `A key, or a cutover.timeoutSeconds well above ${seconds}`
        : "A key, where that is too long for writes to be stopped",
    );
  });
}
