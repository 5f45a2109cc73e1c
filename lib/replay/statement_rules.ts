/**
 * What a statement in the binlog means for the ferry. Rules only. Row changes come as row events; a statement is DDL, or
 * DML that the source logged as a statement, which nobody but the source could replay.
 * @module
 */

/** What the ferry does about it. */
export type Verdict = { readonly stop: false } | {
  readonly stop: true;
  readonly code: "ddl-on-ferried-table" | "statement-format";
};

const PASS: Verdict = { stop: false };

/**
 * Verbs that write rows: in a binlog of row format they come from a session that left it. SELECT stands for the call of a
 * function that writes, from whatever statement; in row format neither it nor DO is logged.
 */
const DML = new Set([
  "INSERT",
  "UPDATE",
  "DELETE",
  "REPLACE",
  "LOAD",
  "CALL",
  "WITH",
  "IMPORT",
  "SELECT",
  "DO",
]);
/** Statements that leave every table's rows and columns as they are. */
const HARMLESS = new Set([
  "FLUSH",
  "GRANT",
  "REVOKE",
  "SET",
  "OPTIMIZE",
  "REPAIR",
  "CHECK",
  "CHANGE",
  "INSTALL",
  "UNINSTALL",
  "XA",
  "COMMENT",
]);
/** Objects that a CREATE, ALTER or DROP may be about without touching a table's rows. */
const OTHER_OBJECTS = new Set([
  "VIEW",
  "TRIGGER",
  "PROCEDURE",
  "FUNCTION",
  "EVENT",
  "USER",
  "ROLE",
  "SERVER",
  "TABLESPACE",
  "LOGFILE",
  "INSTANCE",
  "RESOURCE",
  "SPATIAL",
  "SEQUENCE",
  "AGGREGATE",
  "PACKAGE",
  "LIBRARY",
]);

/**
 * The words of a statement: bare ones as they are, quoted ones as `=name`; dots and brackets kept. Comments, strings and
 * variables are left out, but for what stands in double quotes: in a session with ANSI_QUOTES it is a name.
 */
export function words(text: string): string[] {
  const found: string[] = [];
  // Executable comments count as text; others are passed over. A bare name may hold whatever stands above ASCII (MySQL,
  // "Schema Object Names"): vowel signs and accents are no letters to Unicode.
  const pattern =
    /\/\*M?!\d*|\*\/|\/\*[\s\S]*?\*\/|--[ \t][^\n]*|#[^\n]*|'(?:[^'\\]|\\[\s\S]|'')*'|"((?:[^"\\]|\\[\s\S]|"")*)"|@+[\p{L}\p{N}_$.\u0080-\uffff]*|`((?:[^`]|``)*)`|([\p{L}\p{N}_$\u0080-\uffff]+)|([.()])/gu;
  for (const [, inDouble, inBackticks, bareWord, sign] of text.matchAll(pattern)) {
    if (inDouble !== undefined) found.push("=" + inDouble.replaceAll('""', '"'));
    else if (inBackticks !== undefined) found.push("=" + inBackticks.replaceAll("``", "`"));
    else if (bareWord !== undefined || sign !== undefined) found.push(bareWord ?? sign);
  }
  return found;
}

/** Judges a statement; `schema` is its session's default, `ferried` answers for a table and `ferriedSchema` for a schema. */
export function judgeStatement(
  text: string,
  schema: string,
  ferried: (schema: string, name: string) => boolean,
  ferriedSchema: (schema: string) => boolean,
): Verdict {
  return judge(words(text), schema, ferried, ferriedSchema);
}

function judge(
  all: readonly string[],
  schema: string,
  ferried: (schema: string, name: string) => boolean,
  ferriedSchema: (schema: string) => boolean,
): Verdict {
  const verb = (all[0] ?? "").toUpperCase();
  // MariaDB's SET STATEMENT variable=value FOR statement is logged with all of its text.
  if (verb === "SET" && all[1]?.toUpperCase() === "STATEMENT") {
    const inner = behindFor(all);
    return inner.length === 0
      ? { stop: true, code: "statement-format" }
      : judge(inner, schema, ferried, ferriedSchema);
  }
  if (DML.has(verb)) return { stop: true, code: "statement-format" };
  // MariaDB's ANALYZE of a statement runs it; of a table, it only counts.
  if (verb === "ANALYZE" && !all.slice(1, 3).some((w) => /^TABLES?$/i.test(w))) {
    return { stop: true, code: "statement-format" };
  }
  if (HARMLESS.has(verb) || verb === "ANALYZE") return PASS;
  const replaces = all[1]?.toUpperCase() === "OR";
  // A session's own table may bear a ferried one's name and hides it: no base table is meant.
  if ((verb === "CREATE" || verb === "DROP") && all[replaces ? 3 : 1]?.toUpperCase() === "TEMPORARY") {
    return PASS;
  }
  const object = all.slice(1).map((w) => w.toUpperCase()).find((w) =>
    OTHER_OBJECTS.has(w) || STRUCTURE.has(w)
  );
  if (["CREATE", "ALTER", "DROP"].includes(verb) && object !== undefined) {
    if (OTHER_OBJECTS.has(object) && object !== "SPATIAL") return PASS;
    // A CREATE TABLE of a ferried name either changed nothing (IF NOT EXISTS) or follows a DROP or RENAME that stopped us;
    // MariaDB's CREATE OR REPLACE TABLE drops what was there.
    if (
      verb === "CREATE" && !replaces && (object === "TABLE" || object === "DATABASE" || object === "SCHEMA")
    ) {
      return PASS;
    }
    if (object === "DATABASE" || object === "SCHEMA") {
      // Altering a schema changes defaults of tables to come, or makes it read only.
      if (verb === "ALTER") return PASS;
      return all.some((w) => ferriedSchema(bare(w))) ? { stop: true, code: "ddl-on-ferried-table" } : PASS;
    }
  }
  return namesFerried(all, schema, ferried) ? { stop: true, code: "ddl-on-ferried-table" } : PASS;
}

const STRUCTURE = new Set(["TABLE", "DATABASE", "SCHEMA", "INDEX"]);

/** What stands behind the FOR of a SET STATEMENT; one in brackets is part of a value. Empty where there is none. */
function behindFor(all: readonly string[]): readonly string[] {
  let depth = 0;
  for (let i = 2; i < all.length; i++) {
    if (all[i] === "(") depth++;
    else if (all[i] === ")") depth--;
    else if (depth === 0 && all[i].toUpperCase() === "FOR") return all.slice(i + 1);
  }
  return [];
}

function bare(word: string): string {
  return word.startsWith("=") ? word.slice(1) : word;
}

/** Whether any name in it, qualified or in the default schema, is a ferried table. */
function namesFerried(
  all: readonly string[],
  schema: string,
  ferried: (schema: string, name: string) => boolean,
): boolean {
  for (let i = 0; i < all.length; i++) {
    if (".()".includes(all[i])) continue;
    const qualified = all[i - 1] === "." && i >= 2;
    if (ferried(qualified ? bare(all[i - 2]) : schema, bare(all[i]))) return true;
  }
  return false;
}

/** Whether one of `names` is `written`, or begins so; a letter that could not be read may be any that is not of ASCII. */
export function anyIs(names: ReadonlySet<string>, written: string, end: "$" | ""): boolean {
  if (end === "$" && !written.includes("\ufffd")) return names.has(written);
  const parts = written.split(/\ufffd+/).map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  const pattern = new RegExp(`^${parts.join("[^\\0-\\x7f]+")}${end}`, "u");
  return [...names].some((name) => pattern.test(name));
}
