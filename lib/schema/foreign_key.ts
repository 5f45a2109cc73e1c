/**
 * A foreign key, read from the server's own definition. `information_schema` would tell the same, but MariaDB hides it
 * there from a user who may only SELECT, and a foreign key that is not seen is a cascade that is not seen.
 * @module
 */
import { quoteTable } from "../mysql/identifier.ts";
import { FerryError } from "../errors.ts";
import { type DeferredForeignKey, readName, type TableName } from "./create_table.ts";

/** What becomes of a child when its parent goes or changes its key. `restrict` stands for NO ACTION too. */
export type ReferentialAction = "restrict" | "cascade" | "set null";

/** One foreign key of a table. */
export interface ForeignKey {
  /** Its name, one in its schema. */
  readonly name: string;
  /** Columns of the child. */
  readonly columns: readonly string[];
  /** The parent, where the child is. */
  readonly parent: TableName;
  /** Columns of the parent, one for each of `columns`. */
  readonly parentColumns: readonly string[];
  /** When the parent's row goes. */
  readonly onDelete: ReferentialAction;
  /** When the parent's columns change. */
  readonly onUpdate: ReferentialAction;
  /** The definition up to the parent's name. */
  readonly head: string;
  /** The definition behind the parent's name. */
  readonly tail: string;
}

/** Reads a definition of SHOW CREATE TABLE. `schema` is the child's: a parent in the same one is named without it. */
export function readForeignKey({ name, definition }: DeferredForeignKey, schema: string): ForeignKey {
  const open = /^CONSTRAINT\s+/i.exec(definition);
  let at = open === null ? -1 : readName(definition, open[0].length).end;
  const skip = (what: RegExp) => {
    const match = at < 0 ? null : what.exec(definition.slice(at));
    at = match === null ? -1 : at + match[0].length;
  };
  const names = (): string[] => {
    const found: string[] = [];
    for (skip(/^\s*\(/); at >= 0;) {
      const read = readName(definition, at);
      found.push(read.name);
      at = read.end;
      if (/^\s*\)/.test(definition.slice(at))) break;
      skip(/^\s*,\s*/);
    }
    skip(/^\s*\)/);
    return found;
  };
  skip(/^\s+FOREIGN KEY\s+(?=\()/i);
  const columns = names();
  skip(/^\s+REFERENCES\s+(?=`)/i);
  if (at < 0) throw unreadable(definition);
  const head = definition.slice(0, at);
  let parent = readName(definition, at);
  at = parent.end;
  let parentSchema = schema;
  if (definition[at] === ".") {
    parentSchema = parent.name;
    parent = readName(definition, at + 1);
    at = parent.end;
  }
  const tail = definition.slice(at);
  const parentColumns = names();
  if (at < 0 || columns.length === 0 || columns.length !== parentColumns.length) throw unreadable(definition);
  const rules = definition.slice(at);
  return {
    name,
    columns,
    parent: { schema: parentSchema, name: parent.name },
    parentColumns,
    onDelete: action(/\bON DELETE (CASCADE|SET NULL|RESTRICT|NO ACTION)/i.exec(rules), rules, "DELETE"),
    onUpdate: action(/\bON UPDATE (CASCADE|SET NULL|RESTRICT|NO ACTION)/i.exec(rules), rules, "UPDATE"),
    head,
    tail,
  };
}

/** The definition with another parent's name in it: what stands behind `ADD` in an ALTER TABLE of the target. */
export function definitionTowards(key: ForeignKey, parent: TableName): string {
  return `${key.head}${quoteTable(parent)}${key.tail}`;
}

function action(match: RegExpExecArray | null, rules: string, event: string): ReferentialAction {
  const rule = match?.[1].toLowerCase();
  if (rule === "cascade" || rule === "set null") return rule;
  // A rule that is there and that nobody here has heard of must not pass for none.
  if (match === null && new RegExp(`\\bON ${event}\\b`, "i").test(rules)) throw unreadable(rules);
  return "restrict";
}

function unreadable(definition: string): FerryError {
  return new FerryError(
    "definition-unreadable",
    `Cannot read the foreign key "${definition.slice(0, 120)}"`,
    {
      hint: "Please report the table's definition",
    },
  );
}
