/**
 * Tables as their server describes them: a fixed number of questions to `information_schema`, whatever their number,
 * and one SHOW CREATE TABLE each.
 * @module
 */
import type { Row, Session } from "../mysql/session.ts";
import { quoteTable } from "../mysql/identifier.ts";
import { errorNumber } from "../errors.ts";
import { chooseKey, type Index } from "./choose_key.ts";
import { foreignKeyDefinitions, type TableName } from "./create_table.ts";
import { type ForeignKey, readForeignKey } from "./foreign_key.ts";
import type { Column, Table } from "./table.ts";

/** A foreign key as its parent sees it. */
export interface ChildKey {
  /** Its name. */
  readonly name: string;
  /** The table that has it. */
  readonly table: TableName;
}

/** A table, and what beside its columns decides whether it can be ferried. */
export interface LoadedTable {
  /** Its columns and key; `key` is empty and `keyName` is `""` where it has no usable key. */
  readonly table: Table;
  /** `InnoDB`, … */
  readonly engine: string;
  /** Its foreign keys. */
  readonly foreignKeys: readonly ForeignKey[];
  /** Foreign keys of other tables that point at it, as far as the user may see them. */
  readonly children: readonly ChildKey[];
  /** Names of its triggers. */
  readonly triggers: string[];
  /** Names of its generated columns. */
  readonly generatedColumns: string[];
  /** `SHOW CREATE TABLE`; `""` where it may not be read. */
  readonly createSql: string;
  /** Every index, `PRIMARY` included. */
  readonly indexes: readonly Index[];
  /** Columns that an INSERT may leave out: with a default, nullable, counted or generated. */
  readonly optionalColumns: readonly string[];
}

const SYSTEM_SCHEMAS = ["mysql", "information_schema", "performance_schema", "sys"];
/** 1044, 1142 not allowed to read · 1146 dropped meanwhile. */
const UNREADABLE = new Set([1044, 1142, 1146]);

/** The base tables that `wanted` says yes to, by schema and name. System schemas are never offered to it. */
export async function loadTables(
  session: Session,
  wanted: (schema: string, name: string) => boolean,
): Promise<LoadedTable[]> {
  // Fresh estimates without writing into MySQL's statistics cache, and names in backticks.
  await session.run(
    "SET SESSION sql_quote_show_create = 1 /*!80000 , SESSION information_schema_stats_expiry = 0 */" +
      // A generated primary key may be hidden from both, and is in the row images all the same.
      " /*!80030 , SESSION show_gipk_in_create_table_and_information_schema = ON */",
  );
  const tables = (await session.query(
    `SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, ENGINE AS engine, TABLE_ROWS AS row_count, DATA_LENGTH AS bytes
       FROM information_schema.TABLES
      WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA NOT IN (?)
      ORDER BY TABLE_SCHEMA, TABLE_NAME`,
    [SYSTEM_SCHEMAS],
  )).filter((row) => wanted(row.s, row.t));
  if (tables.length === 0) return [];
  const schemas = [...new Set(tables.map((row) => String(row.s)))];
  const columns = grouped(await session.query(COLUMNS, [schemas]));
  const statistics = grouped(await session.query(STATISTICS, [schemas]));
  const pointers = await session.query(POINTERS, [schemas]);
  const triggers = grouped(await session.query(TRIGGERS, [schemas]));
  const loaded: LoadedTable[] = [];
  for (const row of tables) {
    const at = placeOf(row.s, row.t);
    const createSql = await showCreate(session, { schema: row.s, name: row.t });
    if (createSql === null) continue;
    const columnRows = columns.get(at) ?? [];
    const indexes = asIndexes(statistics.get(at) ?? []);
    const table = asTable(row, columnRows.map(asColumn), indexes);
    loaded.push({
      table,
      engine: String(row.engine ?? ""),
      foreignKeys: foreignKeyDefinitions(createSql).map((key) => readForeignKey(key, row.s)),
      children: childKeys(pointers, row.s, row.t),
      triggers: (triggers.get(at) ?? []).map((trigger) => String(trigger.name)),
      generatedColumns: table.columns.filter((c) => c.generated).map((c) => c.name),
      createSql,
      indexes,
      optionalColumns: columnRows.filter(isOptional).map((c) => String(c.name)),
    });
  }
  return loaded;
}

const COLUMNS = `
  SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, COLUMN_NAME AS name, ORDINAL_POSITION AS ordinal, DATA_TYPE AS data_type,
         COLUMN_TYPE AS column_type, CHARACTER_SET_NAME AS charset, COLLATION_NAME AS collation,
         CHARACTER_OCTET_LENGTH AS octets, NUMERIC_PRECISION AS digits, NUMERIC_SCALE AS scale,
         DATETIME_PRECISION AS fraction, IS_NULLABLE AS nullable, EXTRA AS extra, COLUMN_DEFAULT AS default_value,
         GENERATION_EXPRESSION AS expression
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN (?)
   ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION`;

// The version comments ask each vendor for what only it knows; MariaDB reads none of MySQL's from 5.7 to 9.
const STATISTICS = `
  SELECT TABLE_SCHEMA AS s, TABLE_NAME AS t, INDEX_NAME AS name, NON_UNIQUE AS non_unique, COLUMN_NAME AS col,
         SUB_PART AS prefix, INDEX_TYPE AS type /*!80013 , IS_VISIBLE AS visible */ /*M!100600 , IGNORED AS ignored */
    FROM information_schema.STATISTICS WHERE TABLE_SCHEMA IN (?)
   ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`;

// Not REFERENTIAL_CONSTRAINTS: MariaDB shows that only to those who may write the child.
const POINTERS = `
  SELECT DISTINCT TABLE_SCHEMA AS s, TABLE_NAME AS t, CONSTRAINT_NAME AS name, REFERENCED_TABLE_SCHEMA AS parent_s,
         REFERENCED_TABLE_NAME AS parent_t
    FROM information_schema.KEY_COLUMN_USAGE WHERE REFERENCED_TABLE_SCHEMA IN (?)`;

const TRIGGERS = `
  SELECT EVENT_OBJECT_SCHEMA AS s, EVENT_OBJECT_TABLE AS t, TRIGGER_NAME AS name
    FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA IN (?)`;

function placeOf(schema: string, name: string): string {
  return `${schema}\0${name}`;
}

function grouped(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const at = placeOf(row.s, row.t);
    const group = groups.get(at);
    if (group === undefined) groups.set(at, [row]);
    else group.push(row);
  }
  return groups;
}

function asTable(row: Row, columns: Column[], indexes: readonly Index[]): Table {
  const chosen = chooseKey(indexes, columns);
  return {
    schema: row.s,
    name: row.t,
    columns,
    keyName: chosen?.name ?? "",
    key: chosen?.key ?? [],
    hasOtherUnique: indexes.some((index) => index.unique && index.name !== chosen?.name),
    rowsEstimated: numberOf(row.row_count),
    bytesEstimated: numberOf(row.bytes),
  };
}

const NUMERIC = /^(tinyint|smallint|mediumint|int|bigint|decimal|float|double)$/;

function asColumn(row: Row, index: number): Column {
  const dataType = String(row.data_type).toLowerCase();
  const columnType = String(row.column_type);
  return {
    name: row.name,
    ordinal: index,
    dataType,
    columnType,
    unsigned: NUMERIC.test(dataType) && /\bunsigned\b/i.test(columnType),
    charset: row.charset,
    collation: row.collation,
    octetLength: numberOf(row.octets),
    precision: numberOf(row.digits),
    scale: numberOf(row.scale),
    fraction: numberOf(row.fraction),
    nullable: row.nullable === "YES",
    generated: isGenerated(row),
    ...(/(STORED|PERSISTENT) GENERATED/i.test(row.extra ?? "") ? { stored: String(row.expression) } : {}),
  };
}

/** `DEFAULT_GENERATED` in EXTRA is a default and no generated column. */
function isGenerated(row: Row): boolean {
  return String(row.expression ?? "") !== "" ||
    /(VIRTUAL|STORED|PERSISTENT|ALWAYS) GENERATED/i.test(row.extra ?? "");
}

function isOptional(row: Row): boolean {
  return row.nullable === "YES" || isGenerated(row) || row.default_value !== null ||
    /auto_increment|DEFAULT_GENERATED/i.test(row.extra ?? "");
}

function asIndexes(rows: readonly Row[]): Index[] {
  const names = [...new Set(rows.map((row) => String(row.name)))];
  return names.map((name) => {
    const parts = rows.filter((row) => row.name === name);
    return {
      name,
      unique: Number(parts[0].non_unique) === 0,
      columns: parts.map((part) => part.col as string | null),
      whole: parts.every((part) => part.col !== null && part.prefix === null),
      usable: parts[0].type === "BTREE" && parts[0].visible !== "NO" && parts[0].ignored !== "YES",
    };
  });
}

function childKeys(rows: readonly Row[], schema: string, name: string): ChildKey[] {
  const others = rows.filter((row) =>
    row.parent_s === schema && row.parent_t === name && !(row.s === schema && row.t === name)
  );
  return others.map((row) => ({ name: String(row.name), table: { schema: row.s, name: row.t } }));
}

async function showCreate(session: Session, t: { schema: string; name: string }): Promise<string | null> {
  try {
    const row = await session.one(`SHOW CREATE TABLE ${quoteTable(t)}`);
    return String(row!["Create Table"]);
  } catch (e) {
    const number = errorNumber(e);
    if (number === null || !UNREADABLE.has(number)) throw e;
    return number === 1146 ? null : "";
  }
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}
