/**
 * The tables' definitions, held against the server that is to take them: put into its words where it is of the other
 * vendor, and tried as temporary tables, which write nothing.
 * @module
 */
import type { Session } from "../mysql/session.ts";
import { quoteName } from "../mysql/identifier.ts";
import { errorNumber, errorText } from "../errors.ts";
import { bareText, takeApart } from "../schema/create_table.ts";
import { tableLabel } from "../schema/table.ts";
import { type Reader, type Remark, translateDefinition } from "../schema/translate/definition.ts";
import type { Finding } from "../progress/resource.ts";
import { inform, refuse, warn } from "./finding.ts";
import type { Pair } from "./pairs.ts";
import { isDenied } from "./privileges.ts";

/** Puts every pair's definition into the target's words. */
export async function translatePairs(
  session: Session,
  reader: Reader,
  pairs: readonly Pair[],
  stateSchema: string,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const toProve: Pair[] = [];
  for (const pair of pairs) {
    if (pair.source.createSql === "") continue;
    const { createSql, remarks } = translateDefinition(pair.source.createSql, reader);
    pair.createSql = createSql;
    for (const group of Map.groupBy(remarks, (r) => `${r.level} ${r.code}`).values()) {
      // A table that is there already is held against the source's by itself.
      if (pair.existing === null) findings.push(remarkFinding(tableLabel(pair.source.table), group));
    }
    if (pair.existing === null && !remarks.some((remark) => remark.level === "error")) toProve.push(pair);
  }
  findings.push(...await proveDefinitions(session, toProve, stateSchema));
  return findings;
}

/** One finding for remarks of one kind. */
function remarkFinding(label: string, group: readonly Remark[]): Finding {
  const { level, code } = group[0];
  const details = [...new Set(group.map((remark) => remark.detail))].join("; ");
  if (level === "error") {
    return refuse(
      code,
      label,
      `Cannot make table "${label}" on the target, which does not know it: ${details}`,
      "Exclude the table, or change it on the source",
    );
  }
  const tell = level === "warning" ? warn : inform;
  return tell(
    code,
    label,
    `Table "${label}" is made otherwise on the target: ${details}`,
    "Make the table on the target beforehand where it should be another",
  );
}

/** Has the target make each table as a temporary one, and tells what it refuses in its own words. */
async function proveDefinitions(
  session: Session,
  pairs: readonly Pair[],
  stateSchema: string,
): Promise<Finding[]> {
  if (pairs.length === 0) return [];
  const schema = await provingSchema(session, [...new Set(pairs.map((p) => p.target.schema)), stateSchema]);
  if (schema === null) return [unproven("no schema of the ferry exists on the target yet")];
  const findings: Finding[] = [];
  const place = `${quoteName(schema)}.${quoteName("_ferry_proof")}`;
  const mode = (await session.one("SELECT @@SESSION.sql_mode AS mode"))!.mode;
  // Without one, a function that is not known is told as a missing schema.
  await session.run(`USE ${quoteName(schema)}`);
  await session.run("SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'");
  for (const pair of pairs) {
    try {
      await session.run(`CREATE TEMPORARY TABLE ${place} ${temporaryBody(pair.createSql)}`);
      await session.run(`DROP TEMPORARY TABLE ${place}`);
    } catch (e) {
      if (errorNumber(e) === null) throw e;
      if (isDenied(e)) {
        findings.push(unproven(errorText(e)));
        break;
      }
      const label = tableLabel(pair.source.table);
      findings.push(refuse(
        "definition-refused",
        label,
        `Cannot make table "${label}" on the target: it says ${errorText(e)}`,
        "Exclude the table, change it on the source, or make it on the target by hand",
      ));
    }
  }
  await session.query("SET SESSION sql_mode=?", [mode]);
  return findings;
}

async function provingSchema(session: Session, wanted: readonly string[]): Promise<string | null> {
  const rows = await session.query("SELECT SCHEMA_NAME AS s FROM information_schema.SCHEMATA");
  const there = new Set(rows.map((row) => String(row.s)));
  return wanted.find((schema) => there.has(schema)) ?? null;
}

function unproven(reason: string): Finding {
  return warn(
    "definitions-unproven",
    "target",
    `The translated definitions could not be tried on the target beforehand: ${reason}`,
    "CREATE TEMPORARY TABLES for the target's user; otherwise a definition that the target refuses fails the ferry later",
  );
}

/** Without what temporary tables cannot have: FULLTEXT indexes, foreign keys, compression, partitions. */
function temporaryBody(createSql: string): string {
  const { items, tail } = takeApart(createSql);
  const left = items.filter((item) => !/^(FULLTEXT|CONSTRAINT `(?:[^`]|``)+` FOREIGN) /i.test(item));
  const bare = bareText(tail);
  const at = bare.search(/\bPARTITION BY\b/);
  const options = at < 0 ? tail : tail.slice(0, tail.search(/\bPARTITION BY\b/));
  return `(${left.join(", ")})${options.replace(/ (ROW_FORMAT=COMPRESSED|KEY_BLOCK_SIZE=\d+)/g, "")}`;
}
