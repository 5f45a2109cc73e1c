/**
 * Tables whose rows are chosen by those of a parent: is the parent there, and can the two be held together.
 * @module
 */
import { tableLabel } from "../schema/table.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { parseTableName } from "../spec/table_pattern.ts";
import type { Finding } from "../progress/resource.ts";
import { isAlike, isAlikeThere } from "./cascades.ts";
import { refuse, warn } from "./finding.ts";
import type { ParentFinder } from "./foreign_keys.ts";
import type { Pair } from "./pairs.ts";

/** Gives every chosen table its parent's own name, and judges the two. */
export function judgeThrough(
  pairs: readonly Pair[],
  parents: ParentFinder,
  facts: Pick<FerrySpec, "existingRows"> & { readonly sameVendor: boolean },
): Finding[] {
  return pairs.flatMap((pair) => {
    if (pair.through === null) return [];
    const label = tableLabel(pair.source.table);
    const { column, parent: named } = pair.through;
    const cannot = (code: string, state: string, needed: string) => [
      refuse(code, label, `Cannot choose rows of "${label}" through "${named}": ${state}`, needed),
    ];
    const parent = parents.find(parseTableName(named)!);
    if (parent === null) return cannot("through-parent", "it is not ferried", `"${named}" among the tables`);
    pair.through = { column, parent: tableLabel(parent.source.table) };
    if (isRing(pair, parents)) {
      return cannot(
        "through-ring",
        "the table would choose itself",
        "Parents that lead to a table without through",
      );
    }
    const { key } = parent.source.table;
    if (key.length !== 1) {
      return cannot("through-key", "its key is not one column", "A parent with a key of a single column");
    }
    const own = pair.source.table.columns.find((c) => c.name.toLowerCase() === column.toLowerCase());
    if (own === undefined || own.generated) {
      return cannot(
        "through-column",
        `there is no stored column "${column}"`,
        "A column that holds the parent's key",
      );
    }
    if (!isAlike(own, key[0]) || !isAlikeThere(own, facts.sameVendor)) {
      return cannot(
        "through-type",
        `"${column}" is ${own.columnType}${
          own.collation === null ? "" : ` ${own.collation}`
        }, not compared as the ` +
          `parent's "${key[0].name}" (${key[0].columnType}${
            key[0].collation === null ? "" : ` ${key[0].collation}`
          }) is`,
        "Columns of one type, character set and collation, which both servers hold equal alike",
      );
    }
    if (facts.existingRows === "merge" && (pair.existing !== null || parent.existing !== null)) {
      return cannot(
        "through-merge",
        "the target tables may hold rows of others",
        "Target tables that are not there yet",
      );
    }
    if (pair.source.indexes.some((i) => i.columns[0]?.toLowerCase() === column.toLowerCase())) return [];
    return [warn(
      "through-no-index",
      label,
      `Rows of "${label}" are looked up by "${column}" whenever a parent comes or goes, and no index begins with it`,
      "An index on that column of the source",
    )];
  });
}

function isRing(pair: Pair, parents: ParentFinder): boolean {
  const seen = new Set([pair]);
  for (let at: Pair | null = pair; at?.through;) {
    const name = parseTableName(at.through.parent);
    at = name === null ? null : parents.find(name);
    if (at === null) return false;
    if (seen.has(at)) return true;
    seen.add(at);
  }
  return false;
}
