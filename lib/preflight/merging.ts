/**
 * Whether tables can be merged: what stands in the way of telling a ferry's own rows from others' while both are written.
 * @module
 */
import { keepStagesOutOfBinlog } from "../mysql/merge_writer.ts";
import type { Session } from "../mysql/session.ts";
import type { LoadedTable } from "../schema/load_tables.ts";
import { tableLabel } from "../schema/table.ts";
import type { Finding } from "../progress/resource.ts";
import { inform, listed, refuse } from "./finding.ts";
import type { Pair } from "./pairs.ts";
import { isDenied } from "./privileges.ts";
import { judgeTargetTable } from "./target.ts";

/** Looks at what merging asks of the target beside its tables. */
export async function checkMerging(session: Session, pairs: readonly Pair[]): Promise<Finding[]> {
  const findings = [inform(
    "merge",
    "existingRows",
    "Rows of others in the target tables stay; a key that is theirs and the source's is told when its row arrives",
    "Keys, and values of unique indexes, that the source has for itself",
  )];
  try {
    await keepStagesOutOfBinlog(session);
  } catch (e) {
    if (!isDenied(e)) throw e;
    findings.push(refuse(
      "merge-binlog-format",
      "binlog_format",
      "Cannot merge into the target: its binlog is not in ROW format, and its user may not change that for a session",
      "binlog_format=ROW on the target, or GRANT SESSION_VARIABLES_ADMIN (MariaDB: BINLOG ADMIN) to the target's user",
    ));
  }
  for (const pair of pairs) {
    findings.push(
      ...judgeUniques(tableLabel(pair.target), pair.existing ?? pair.source),
      ...judgeRelations(pair),
    );
  }
  return findings;
}

/**
 * What follows other rows: its children are looked up in the target's table, where those of others are too, now or as soon
 * as another ferry merges there.
 */
export function judgeRelations(pair: Pick<Pair, "source" | "through">): Finding[] {
  const label = tableLabel(pair.source.table);
  const cannot = (code: string, state: string) =>
    refuse(
      code,
      label,
      `Cannot merge table "${label}": ${state}`,
      'existingRows "refuse", into a table of its own',
    );
  return [
    ...(pair.source.foreignKeys.length === 0 ? [] : [cannot(
      "merge-foreign-key",
      `it has foreign keys ${listed(pair.source.foreignKeys.map((k) => k.name))}`,
    )]),
    ...(pair.through === null ? [] : [cannot("merge-through", "its rows are chosen through a parent")]),
  ];
}

/** Unique indexes in which the row in the way cannot be looked up. */
export function judgeUniques(label: string, table: Pick<LoadedTable, "indexes">): Finding[] {
  const odd = table.indexes.filter((index) => index.unique && !(index.whole && index.usable));
  if (odd.length === 0) return [];
  return [refuse(
    "merge-unique-index",
    label,
    `Cannot merge into table "${label}": its unique indexes ${
      listed(odd.map((i) => i.name))
    } are over prefixes or ` +
      "expressions, or invisible",
    "Unique indexes of whole columns that the optimizer may use",
  )];
}

/** Of source tables that go into one missing table the first makes it; the others are held against that one. */
export function judgeMergedTogether(pairs: readonly Pair[]): Finding[] {
  return [...Map.groupBy(pairs, (pair) => pair.place).values()].flatMap(([maker, ...others]) => {
    if (maker.existing !== null) return [];
    const table = { ...maker.source.table, ...maker.target };
    const made = { ...maker.source, table, triggers: [], foreignKeys: [] };
    return others.flatMap((pair) => judgeTargetTable(pair.source, made));
  });
}
