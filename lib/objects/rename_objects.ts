/**
 * Objects under the target's names, where that can be done surely. Views are the server's own words, in which every name is
 * quoted and a schema is followed by a dot. Bodies are somebody's text: nothing in it is changed, so nothing in it may speak
 * of a name that changes.
 * @module
 */
import { quoteName } from "../mysql/identifier.ts";
import type { TableName } from "../schema/create_table.ts";
import { skipQuoted } from "../schema/create_table.ts";
import { KINDS, type LoadedObject, type PlannedObject } from "./schema_object.ts";

/** What is called otherwise on the target. */
export interface Renames {
  /** New names of schemas. */
  readonly schemas: Readonly<Record<string, string>>;
  /** Every ferried table, and where it goes. */
  readonly tables: readonly { readonly source: TableName; readonly target: TableName }[];
}

/** The object for the target, or why it cannot be one: a state that follows `Cannot carry over view x.y: `. */
export function planObject(o: LoadedObject, renames: Renames): PlannedObject | { readonly reason: string } {
  if (!KINDS.includes(o.kind)) return { reason: `it is a ${o.kind}` };
  if (o.createSql === null) return { reason: "its definition may not be read" };
  const changed = changedNames(renames);
  const place = { kind: o.kind, name: o.name, schema: schemaOf(o, renames) };
  if (o.kind === "view") return planView(o, o.createSql, place, renames, changed);
  const trigger = o.kind === "trigger" ? readTrigger(o.createSql) : null;
  if (o.kind === "trigger" && trigger === null) return { reason: "its definition begins in an unknown way" };
  const said = mentioned(trigger?.body ?? o.createSql, [...changed.schemas, ...changed.tables]);
  if (said !== null) return { reason: `it speaks of "${said}", which has another name on the target` };
  if (trigger === null) return { ...place, source: o, createSql: o.createSql };
  const table = tableOf(o, renames)!.target;
  const name = `${quoteName(place.schema)}.${quoteName(o.name)}`;
  const on = `${quoteName(table.schema)}.${quoteName(table.name)}`;
  const createSql = `${trigger.head}${name} ${trigger.moment} ON ${on} FOR EACH ROW ${trigger.body}`;
  return { ...place, source: o, createSql };
}

function schemaOf(o: LoadedObject, renames: Renames): string {
  const table = tableOf(o, renames);
  if (table !== undefined) return table.target.schema;
  return Object.hasOwn(renames.schemas, o.schema) ? renames.schemas[o.schema] : o.schema;
}

function tableOf(o: LoadedObject, renames: Renames) {
  if (o.table === null) return undefined;
  return renames.tables.find(({ source }) => source.schema === o.schema && source.name === o.table);
}

function changedNames({ schemas, tables }: Renames): { schemas: string[]; tables: string[] } {
  const renamed = (schema: string) => Object.hasOwn(schemas, schema) ? schemas[schema] : schema;
  return {
    schemas: Object.keys(schemas).filter((schema) => schemas[schema] !== schema),
    tables: tables.filter(({ source, target }) =>
      source.name !== target.name || renamed(source.schema) !== target.schema
    ).map(({ source }) => source.name),
  };
}

function planView(
  o: LoadedObject,
  createSql: string,
  place: Omit<PlannedObject, "source" | "createSql">,
  renames: Renames,
  changed: { schemas: string[]; tables: string[] },
): PlannedObject | { readonly reason: string } {
  let text = "";
  for (let i = 0; i < createSql.length;) {
    const end = skipQuoted(createSql, i);
    const token = createSql.slice(i, Math.max(end, i + 1));
    i += token.length;
    const name = token[0] === "`" && token.length > 1 ? token.slice(1, -1).replaceAll("``", "`") : null;
    if (name === null) {
      text += token;
      continue;
    }
    if (changed.tables.some((table) => same(table, name))) {
      return { reason: `it speaks of "${name}", which has another name on the target` };
    }
    const leads = createSql[i] === "." && !text.endsWith(".");
    if (changed.schemas.some((schema) => same(schema, name))) {
      // A table or a column of that name: the server's words do not tell which is meant before a dot.
      if (!leads) {
        return { reason: `"${name}" in it may be the schema, which has another name on the target` };
      }
      const found = changed.schemas.find((schema) => same(schema, name))!;
      text += quoteName(renames.schemas[found]);
    } else text += token;
  }
  return { ...place, source: o, createSql: text };
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** The first of the names that stands in the text as a word, also where it is only part of a literal. */
function mentioned(text: string, names: readonly string[]): string | null {
  const found = names.find((name) => {
    const plain = name.replaceAll("`", "``").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return new RegExp(`(?<![\\w$\\u0080-\\uFFFF])${plain}(?![\\w$\\u0080-\\uFFFF])`, "i").test(text);
  });
  return found ?? null;
}

const NAME = '(?:`(?:[^`]|``)+`|"(?:[^"]|"")+"|[\\w$\\u0080-\\uFFFF]+)';
const PLACE = `${NAME}(?:\\s*\\.\\s*${NAME})?`;
const TRIGGER = new RegExp(
  `^(CREATE\\s+(?:OR\\s+REPLACE\\s+)?(?:DEFINER\\s*=\\s*\\S+\\s+)?TRIGGER\\s+)(?:IF\\s+NOT\\s+EXISTS\\s+)?${PLACE}\\s+` +
    `((?:BEFORE|AFTER)\\s+\\w+(?:\\s+OR\\s+\\w+)*(?:\\s+OF\\s+${NAME}(?:\\s*,\\s*${NAME})*)?)\\s+ON\\s+${PLACE}\\s+FOR\\s+EACH\\s+ROW\\s+` +
    `(?:(?:FOLLOWS|PRECEDES)\\s+${NAME}\\s+)?([^]*)$`,
  "i",
);

/** A trigger's definition without its names. */
function readTrigger(createSql: string): { head: string; moment: string; body: string } | null {
  const found = TRIGGER.exec(createSql);
  return found === null ? null : { head: found[1], moment: found[2], body: found[3] };
}
