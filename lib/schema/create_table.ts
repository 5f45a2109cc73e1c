/**
 * The target's table, made from the server's own words: `SHOW CREATE TABLE` is taken apart into its definitions, the
 * secondary indexes are put aside for after the copy, and what is left is put together under the target's name.
 * Nothing is rendered anew, so nothing that this project has never heard of is lost.
 * @module
 */
import type { Session } from "../mysql/session.ts";
import { quoteTable } from "../mysql/identifier.ts";
import { FerryError } from "../errors.ts";

/** A table's place. */
export interface TableName {
  /** Its schema. */
  readonly schema: string;
  /** Its name. */
  readonly name: string;
}

/** A secondary index that is built after the copy. */
export interface DeferredIndex {
  /** Its name. */
  readonly name: string;
  /** Whether it forbids equal values. */
  readonly unique: boolean;
  /** What stands behind `ADD` in an ALTER TABLE: ``UNIQUE KEY `u` (`a`)``. */
  readonly definition: string;
}

/** A foreign key, always built after the copy. */
export interface DeferredForeignKey {
  /** Its name. */
  readonly name: string;
  /** What stands behind `ADD` in an ALTER TABLE, as the source says it. */
  readonly definition: string;
}

/** A statement that makes the table, and the indexes and foreign keys it leaves out. */
export interface TargetDefinition {
  /** `CREATE TABLE IF NOT EXISTS …`. */
  readonly create: string;
  /** Left out of `create`, in the source's order. */
  readonly deferred: DeferredIndex[];
  /** Left out of `create`, in the source's order. */
  readonly foreignKeys: DeferredForeignKey[];
}

interface Index extends DeferredIndex {
  /** First column, or `null` where it begins with an expression. */
  readonly firstColumn: string | null;
  /** KEY or UNIQUE KEY, not FULLTEXT and the like. */
  readonly ordered: boolean;
}

/** The target's statement, from the source's `SHOW CREATE TABLE`. */
export function targetDefinition(
  createSql: string,
  target: TableName,
  options: {
    readonly deferIndexes: boolean;
    readonly keyName: string;
    /** Indexes that are not to wait for the end of the copy. */
    readonly keep?: readonly string[];
  },
): TargetDefinition {
  const { items: all, tail } = takeApart(createSql);
  const foreignKeys: DeferredForeignKey[] = [];
  const items = all.filter((item) => {
    const key = asForeignKey(item);
    if (key !== null) foreignKeys.push(key);
    return key === null;
  });
  const indexes = new Map<string, Index>();
  for (const item of items) {
    const index = asIndex(item);
    if (index !== null) indexes.set(item, index);
  }
  const kept = keptIndexes(items, [...indexes.values()], options.keyName);
  for (const name of options.keep ?? []) kept.add(name);
  const deferred: DeferredIndex[] = [];
  const left = items.filter((item) => {
    const index = indexes.get(item);
    if (!options.deferIndexes || index === undefined || kept.has(index.name)) return true;
    deferred.push({ name: index.name, unique: index.unique, definition: index.definition });
    return false;
  });
  const create = `CREATE TABLE IF NOT EXISTS ${quoteTable(target)} (\n  ${left.join(",\n  ")}\n)${tail}`;
  return { create, deferred, foreignKeys };
}

/** Those of `deferred` that the target table does not have. */
export async function missingIndexes<T extends { readonly name: string }>(
  session: Session,
  target: TableName,
  deferred: readonly T[],
): Promise<T[]> {
  if (deferred.length === 0) return [];
  const rows = await session.query(
    "SELECT DISTINCT INDEX_NAME AS name FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?",
    [target.schema, target.name],
  );
  // Index names have no case.
  const there = new Set(rows.map((row) => String(row.name).toLowerCase()));
  return deferred.filter((index) => !there.has(index.name.toLowerCase()));
}

/** Those of `keys` that the target table does not have. */
export async function missingForeignKeys<T extends { readonly name: string }>(
  session: Session,
  target: TableName,
  keys: readonly T[],
): Promise<T[]> {
  if (keys.length === 0) return [];
  const rows = await session.query(
    `SELECT CONSTRAINT_NAME AS name FROM information_schema.TABLE_CONSTRAINTS
      WHERE CONSTRAINT_TYPE = 'FOREIGN KEY' AND TABLE_SCHEMA = ? AND TABLE_NAME = ?`,
    [target.schema, target.name],
  );
  const there = new Set(rows.map((row) => String(row.name).toLowerCase()));
  return keys.filter((key) => !there.has(key.name.toLowerCase()));
}

/** The columns of a table in the source's own words, and nothing else of it. */
export interface ColumnDefinitions {
  /** One a column, in its order; an AUTO_INCREMENT column without that, since it would need a key. */
  readonly columns: string[];
  /** What those columns rely on that name no charset of their own: `DEFAULT CHARSET=…`. */
  readonly charset: string;
}

/** The columns of a `SHOW CREATE TABLE`. */
export function columnDefinitions(createSql: string): ColumnDefinitions {
  const { items, tail } = takeApart(createSql);
  const columns = items.filter((item) => item.startsWith("`"));
  return {
    columns: columns.map((item) => withoutWord(item, "AUTO_INCREMENT")),
    charset: /DEFAULT CHARSET=\w+( COLLATE=\w+)?/i.exec(bareText(tail))?.[0] ?? "",
  };
}

/** Takes a keyword out where it stands outside quotes and comments. */
function withoutWord(sql: string, word: string): string {
  let text = "";
  for (let i = 0; i < sql.length;) {
    const end = skipQuoted(sql, i);
    const part = end > i ? sql.slice(i, end) : /^\w+|^[^]/.exec(sql.slice(i))![0];
    if (part.toUpperCase() !== word) text += part;
    i += part.length;
  }
  return text;
}

/** A statement without what stands in quotes and comments, for looking at its keywords. */
export function bareText(sql: string): string {
  let text = "";
  for (let i = 0; i < sql.length;) {
    const end = skipQuoted(sql, i);
    text += end > i ? " " : sql[i];
    i = Math.max(end, i + 1);
  }
  return text;
}

/** The copy's key stays, and one index for an AUTO_INCREMENT column, which the server demands. */
function keptIndexes(items: readonly string[], indexes: readonly Index[], keyName: string): Set<string> {
  const kept = new Set([keyName]);
  const counter = items.find(isCounter);
  if (counter === undefined) return kept;
  const column = readName(counter, 0).name.toLowerCase();
  const leads = (index: Index) => index.ordered && index.firstColumn?.toLowerCase() === column;
  const primary = items.find((item) => /^PRIMARY KEY/i.test(item));
  if (primary !== undefined && firstColumn(primary)?.toLowerCase() === column) return kept;
  if (indexes.some((index) => index.name === keyName && leads(index))) return kept;
  const needed = indexes.find(leads);
  if (needed !== undefined) kept.add(needed.name);
  return kept;
}

/** Whether a column of this table is AUTO_INCREMENT. */
export function hasCounter(createSql: string): boolean {
  return takeApart(createSql).items.some(isCounter);
}

function isCounter(item: string): boolean {
  return item.startsWith("`") && /\bAUTO_INCREMENT\b/i.test(bareText(item));
}

/** Splits at the commas between definitions; what follows the closing parenthesis is the tail (options, partitions). */
export function takeApart(sql: string): { items: string[]; tail: string } {
  const items: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < sql.length;) {
    const end = skipQuoted(sql, i);
    if (end > i) {
      i = end;
      continue;
    }
    const c = sql[i];
    if (c === "(" && depth++ === 0) from = i + 1;
    if (c === "," && depth === 1) {
      items.push(sql.slice(from, i).trim());
      from = i + 1;
    }
    if (c === ")" && --depth === 0) {
      items.push(sql.slice(from, i).trim());
      return { items, tail: sql.slice(i + 1) };
    }
    i++;
  }
  throw new FerryError("definition-unreadable", `Cannot read the definition "${sql.slice(0, 60)}": no end`);
}

function asIndex(item: string): Index | null {
  const match = /^(UNIQUE |FULLTEXT |SPATIAL |VECTOR )?(?:KEY|INDEX) (?=`)/i.exec(item);
  if (match === null) return null;
  const kind = (match[1] ?? "").trim().toUpperCase();
  const { name, end } = readName(item, match[0].length);
  return {
    name,
    unique: kind === "UNIQUE",
    definition: item,
    firstColumn: firstColumn(item.slice(end)),
    ordered: kind === "" || kind === "UNIQUE",
  };
}

function asForeignKey(item: string): DeferredForeignKey | null {
  const match = /^CONSTRAINT (?=`)/i.exec(item);
  if (match === null) return null;
  const { name, end } = readName(item, match[0].length);
  return /^\s+FOREIGN KEY\b/i.test(item.slice(end)) ? { name, definition: item } : null;
}

function firstColumn(index: string): string | null {
  const open = index.indexOf("(") + 1;
  return index[open] === "`" ? readName(index, open).name : null;
}

/** The foreign keys of a `SHOW CREATE TABLE`, as it says them; none in an empty text. */
export function foreignKeyDefinitions(createSql: string): DeferredForeignKey[] {
  if (createSql === "") return [];
  return takeApart(createSql).items.map(asForeignKey).filter((key) => key !== null);
}

/** The quoted name that stands at `at`, and where it ends. */
export function readName(sql: string, at: number): { name: string; end: number } {
  const end = skipQuoted(sql, at);
  return { name: sql.slice(at + 1, end - 1).replaceAll("``", "`"), end };
}

/** Where the quoted name, literal or comment that begins at `i` ends; `i` itself when none begins there. */
export function skipQuoted(sql: string, i: number): number {
  const quote = sql[i];
  if (quote === "/" && sql[i + 1] === "*") {
    const end = sql.indexOf("*/", i + 2);
    return end < 0 ? sql.length : end + 2;
  }
  if (quote !== "`" && quote !== "'" && quote !== '"') return i;
  for (let k = i + 1; k < sql.length; k++) {
    if (sql[k] === "\\" && quote !== "`") k++;
    else if (sql[k] === quote && sql[k + 1] === quote) k++;
    else if (sql[k] === quote) return k + 1;
  }
  return sql.length;
}
