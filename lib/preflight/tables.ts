/**
 * The source's tables: is there something to ferry, does all that the spec says of them mean one, and can each be ferried.
 * @module
 */
import type { LoadedTable } from "../schema/load_tables.ts";
import { bareText, type TableName } from "../schema/create_table.ts";
import { type Column, tableLabel } from "../schema/table.ts";
import { isTravellingType, zonedColumns } from "../schema/wire_layout.ts";
import type { Finding } from "../progress/resource.ts";
import type { FerrySpec } from "../spec/ferry_spec.ts";
import { matchTable } from "../spec/select_tables.ts";
import { inform, listed, refuse, warn } from "./finding.ts";

/** Patterns that match nothing. */
export function judgeMatches(
  matches: readonly { readonly pattern: string; readonly tables: number }[],
): Finding[] {
  return matches.filter((m) => m.tables === 0).map(({ pattern }) =>
    refuse(
      "no-tables",
      pattern,
      `Cannot ferry "${pattern}": no table of the source matches that the user may see and that is not excluded`,
      "A pattern that matches a base table, and SELECT on it",
    )
  );
}

/**
 * Patterns that leave nothing out, and new names for schemas that nothing is ferried from: perhaps mistyped, and then
 * tables go along, or go elsewhere. `there`: the tables of the source.
 */
export function judgeUnused(
  spec: Pick<FerrySpec, "tables" | "exclude" | "renameSchemas">,
  there: readonly TableName[],
): Finding[] {
  const { tables, exclude, renameSchemas } = spec;
  const goes = ({ schema, name }: TableName, without: readonly string[]) =>
    matchTable(tables, without, renameSchemas, schema, name) !== null;
  const chosen = there.filter((each) => goes(each, []));
  const schemas = new Set(chosen.filter((each) => goes(each, exclude)).map((each) => each.schema));
  return [
    ...exclude.filter((pattern) => chosen.every((each) => goes(each, [pattern]))).map((pattern) =>
      warn(
        "exclude-unused",
        pattern,
        `Cannot find what the exclude "${pattern}" leaves out: no table that would be ferried matches it`,
        "A pattern that matches one, upper and lower case as on the source",
      )
    ),
    ...Object.keys(renameSchemas).filter((schema) => !schemas.has(schema)).map((schema) =>
      warn(
        "rename-unused",
        schema,
        `Cannot find what to rename from "${schema}": no ferried table is in a schema of that name`,
        "The name of a schema that is ferried from, upper and lower case as on the source",
      )
    ),
  ];
}

/** One table of the source. */
export function judgeTable(loaded: LoadedTable): Finding[] {
  const label = tableLabel(loaded.table);
  const cannot = (state: string) => `Cannot copy table "${label}": ${state}`;
  const findings: Finding[] = [];
  if (loaded.engine.toLowerCase() !== "innodb") {
    findings.push(refuse(
      "engine-not-transactional",
      label,
      cannot(`its engine is ${loaded.engine === "" ? "unknown" : loaded.engine}`),
      "ENGINE=InnoDB",
    ));
  }
  const keepsTime = /WITH(OUT)? SYSTEM VERSIONING|PERIOD FOR/i.test(bareText(loaded.createSql));
  if (keepsTime) {
    findings.push(
      refuse("temporal-table", label, cannot("it has periods or system versions"), "A plain table"),
    );
  }
  if (loaded.createSql.includes("\uFFFD")) {
    findings.push(refuse(
      "definition-unreadable",
      label,
      cannot("its definition holds bytes that are no text, as in the default of a binary column"),
      "Another default, or exclude the table",
    ));
  }
  for (const column of loaded.table.columns) findings.push(...judgeColumn(column, label));
  for (const column of loaded.table.key) {
    if (column.dataType !== "float" && column.dataType !== "double") continue;
    findings.push(refuse(
      "float-key",
      label,
      cannot(`its key column "${column.name}" is a ${column.dataType}`),
      "A key of exact values: integers, decimals, strings, bytes, dates",
    ));
  }
  if (loaded.generatedColumns.length > 0) {
    findings.push(inform(
      "generated-columns",
      label,
      `Table "${label}" has generated columns: ${listed(loaded.generatedColumns)}`,
      "Nothing: the target computes them",
    ));
  }
  const zoned = zonedColumns(loaded.table).map((c) => c.name);
  if (zoned.length > 0) {
    findings.push(warn(
      "generated-zone",
      label,
      `Table "${label}" stores what may be of the time zone of whoever wrote the row: ${listed(zoned)}`,
      'The target computes it in UTC; with verify "full" a row that is of another zone is found',
    ));
  }
  return findings;
}

function judgeColumn(column: Column, label: string): Finding[] {
  // Without a fraction the old formats are read; with one an image does not tell how long it is.
  const old = (column.fraction ?? 0) > 0 && /mariadb-5\.3|5\.5 binary format/.test(bareComment(column));
  if (isTravellingType(column.dataType) && !old) return [];
  return [refuse(
    "type-unsupported",
    label,
    `Cannot copy table "${label}": column "${column.name}" is of type ${column.columnType}`,
    old ? "ALTER TABLE … FORCE, which brings the column into today's format" : "A type that the ferry knows",
  )];
}

/** The comment in which a server tells an old format; an ENUM's labels are no comment. */
function bareComment(column: Column): string {
  return column.dataType === "enum" || column.dataType === "set" ? "" : column.columnType;
}
