/**
 * Which rows of each table are meant, and whether the source's server can judge them: the expression has to be a whole
 * one, and one that the server takes for a generated column, whose value depends on its row alone.
 * @module
 */
import { errorNumber, errorText } from "../errors.ts";
import { quoteName, quoteTable, quoteText } from "../mysql/identifier.ts";
import type { Session } from "../mysql/session.ts";
import { ownCondition } from "../copy/row_condition.ts";
import { columnDefinitions } from "../schema/create_table.ts";
import { freeName, makeImageTable } from "../schema/image_table.ts";
import type { LoadedTable } from "../schema/load_tables.ts";
import { tableLabel } from "../schema/table.ts";
import type { FerrySpec, FilterableTable } from "../spec/ferry_spec.ts";
import { matchTable } from "../spec/select_tables.ts";
import type { Finding } from "../progress/resource.ts";
import { refuse } from "./finding.ts";
import { isDenied } from "./privileges.ts";

/** The tables that are ferried, and which rows of them. */
export interface ChosenRows {
  /** Those that no function left out. */
  readonly tables: LoadedTable[];
  /** A SQL expression, for the tables of which not all rows are meant. */
  readonly filters: ReadonlyMap<LoadedTable, string>;
}

/** Name of the temporary table that an expression is tried on. */
const TRIED_ON = "_ferry_filter_check";

/** Asks every `where` that is a function. What it answers is checked in form; {@linkcode checkFilters} asks the server. */
export function chooseRows(
  selected: readonly LoadedTable[],
  spec: Pick<FerrySpec, "tables" | "exclude" | "renameSchemas">,
  findings: Finding[],
): ChosenRows {
  const tables: LoadedTable[] = [];
  const filters = new Map<LoadedTable, string>();
  for (const loaded of selected) {
    const { schema, name } = loaded.table;
    const given = matchTable(spec.tables, spec.exclude, spec.renameSchemas, schema, name)!.where;
    let where: unknown = given;
    try {
      if (typeof given === "function") where = given(describe(loaded));
    } catch (e) {
      findings.push(refused(loaded, `its where function failed: ${errorText(e)}`));
      where = null;
    }
    if (where === false) continue;
    tables.push(loaded);
    if (typeof where === "string" && where.trim() !== "") filters.set(loaded, where.trim());
    else if (where !== null) {
      findings.push(refused(loaded, `its where function answered ${JSON.stringify(where) ?? typeof where}`));
    }
  }
  if (selected.length > 0 && tables.length === 0) {
    findings.push(refuse(
      "no-tables",
      "where",
      "Cannot ferry anything: the where functions left every table out",
      "At least one table for which the function returns an expression or null",
    ));
  }
  return { tables, filters };
}

/** Tries each filter on the source. Leaves nothing there: a temporary table is the session's own, and dropped at once. */
export async function checkFilters(
  session: Session,
  filters: ReadonlyMap<LoadedTable, string>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  if (filters.size > 0) await session.run("SET NAMES utf8mb4");
  for (const [loaded, where] of filters) {
    // Without SELECT that is the finding already; without a definition there is nothing to try it on.
    if (loaded.createSql !== "") findings.push(...await checkFilter(session, loaded, where));
  }
  return findings;
}

async function checkFilter(session: Session, loaded: LoadedTable, where: string): Promise<Finding[]> {
  const bare = await tried(session, () => prepareBare(session, loaded, where));
  if (bare !== null) return isDenied(bare) ? [] : [refusedByServer(loaded, where, bare)];
  const plain = await tried(session, () => tryTable(session, loaded, []));
  if (plain !== null) return [noTable(loaded, plain)];
  const { columns } = columnDefinitions(loaded.createSql);
  const judged = `${quoteName(freeName("_ferry_in", columns))} TINYINT AS (${
    ownCondition({ where })
  } IS TRUE) STORED`;
  const row = await tried(session, () => tryTable(session, loaded, [judged]));
  return row === null ? [] : [refusedByServer(loaded, where, row)];
}

/** The error of `attempt`, or `null`; a lost connection is thrown. */
async function tried(session: Session, attempt: () => Promise<void>): Promise<unknown> {
  try {
    await attempt();
    return null;
  } catch (e) {
    if (!session.usable || errorNumber(e) === null) throw e;
    return e;
  }
}

/**
 * The expression with nothing around it, so that it is found out where it only fits into parentheses. Prepared and not
 * explained: nothing of it is run.
 */
async function prepareBare(session: Session, loaded: LoadedTable, where: string): Promise<void> {
  const sql = `SELECT 1 FROM ${quoteTable(loaded.table)} WHERE ${where}`;
  await session.run(`PREPARE ferry_filter FROM ${quoteText(sql)}`);
  await session.run("DEALLOCATE PREPARE ferry_filter");
}

async function tryTable(session: Session, loaded: LoadedTable, more: readonly string[]): Promise<void> {
  const place = { schema: loaded.table.schema, name: TRIED_ON };
  await makeImageTable(session, loaded.createSql, place, more);
  await session.run(`DROP TEMPORARY TABLE ${quoteTable(place)}`);
}

function refused(loaded: LoadedTable, seen: string): Finding {
  const label = tableLabel(loaded.table);
  return refuse(
    "where-refused",
    label,
    `Cannot filter table "${label}": ${seen}`,
    "An expression over the row's own columns that a generated column may have, or null",
  );
}

function refusedByServer(loaded: LoadedTable, where: string, e: unknown): Finding {
  return refused(loaded, `the source refuses "${where}" (${errorNumber(e)}: ${errorText(e)})`);
}

function noTable(loaded: LoadedTable, e: unknown): Finding {
  const label = tableLabel(loaded.table);
  if (isDenied(e)) {
    return refuse(
      "temporary-tables-denied",
      label,
      `Cannot filter table "${label}": the source's user may make no temporary table, in which changed rows are judged ` +
        `(${errorNumber(e)}: ${errorText(e)})`,
      `GRANT CREATE TEMPORARY TABLES ON ${quoteName(loaded.table.schema)}.* to the source's user`,
    );
  }
  return refuse(
    "where-not-judgeable",
    label,
    `Cannot filter table "${label}": the source makes no temporary table of its columns, in which changed rows are judged ` +
      `(${errorNumber(e)}: ${errorText(e)})`,
    "The table without where, or exclude it",
  );
}

function describe({ table, indexes }: LoadedTable): FilterableTable {
  return {
    schema: table.schema,
    name: table.name,
    columns: table.columns.map(({ name, columnType, nullable, generated }) => ({
      name,
      type: columnType,
      nullable,
      generated,
    })),
    indexes: indexes.map(({ name, unique, columns }) => ({ name, unique, columns })),
    key: table.key.map((c) => c.name),
    rowsEstimated: table.rowsEstimated,
  };
}
