/**
 * A table's definition in the other vendor's words. Item by item: what both understand stays as it is, what only the
 * source says is replaced by what the target says for it, and what the target cannot say is told.
 * @module
 */
import type { Server } from "../../mysql/server.ts";
import { takeApart } from "../create_table.ts";
import { collationOn, modernCharset } from "./collations.ts";
import { translateColumn } from "./column.ts";
import { Mask, NAME, TEXT } from "./masked.ts";
import type { Reader, Remark, Translation } from "./translation.ts";

export type { Reader, Remark } from "./translation.ts";

/** The same table, for the target. */
export interface TranslatedDefinition {
  /** In the form of SHOW CREATE TABLE. */
  readonly createSql: string;
  /** What is not the same. */
  readonly remarks: readonly Remark[];
}

/** `createSql` is what the other vendor's SHOW CREATE TABLE says. */
export function translateDefinition(createSql: string, reader: Reader): TranslatedDefinition {
  const remarks: Remark[] = [];
  const t: Translation = {
    mask: new Mask(),
    reader,
    remark: (level, code, detail) => remarks.push({ level, code, detail }),
  };
  const { items, tail } = takeApart(createSql);
  const translated = items.map((item) => translateItem(withoutIntroducers(t.mask.hide(item), reader), t))
    .filter((item) => item !== null);
  const options = translateTail(t.mask.hide(tail), t);
  const head = createSql.slice(0, createSql.indexOf("`"));
  const name = t.mask.hide(createSql.slice(head.length, createSql.indexOf("(")));
  const body = translated.join(",\n  ");
  return { createSql: t.mask.show(`${head}${name}(\n  ${body}\n)${options}`), remarks };
}

/** MariaDB prints an introduced literal without its escapes and then cannot read it; the session says the charset too. */
function withoutIntroducers(item: string, reader: Reader): string {
  return reader.vendor === "mariadb" ? item.replace(new RegExp(`\\b_utf8mb4(?=${TEXT})`, "g"), "") : item;
}

function translateItem(item: string, t: Translation): string | null {
  if (new RegExp(`^${NAME} `).test(item)) return withCollations(translateColumn(item, t), t, item);
  const translated = /^CONSTRAINT\b/.test(item) ? translateConstraint(item, t) : translateIndex(item, t);
  return translated === null ? null : withCollations(translated, t, item);
}

/** `CONSTRAINT n CHECK (…)`; foreign keys are said alike. */
function translateConstraint(item: string, t: Translation): string | null {
  const name = new RegExp(NAME).exec(item)?.[0] ?? "";
  if (/\bNOT ENFORCED$/.test(item) && t.reader.vendor === "mariadb") {
    t.remark("warning", "check-left-out", `the CHECK "${t.mask.name(name)}" is NOT ENFORCED, it is left out`);
    return null;
  }
  // MariaDB counts them in each table, MySQL wants names that no other table of the schema has.
  if (t.reader.vendor === "mysql" && /^CONSTRAINT_\d+$/.test(t.mask.name(name))) {
    return item.replace(/^CONSTRAINT \S+ /, "");
  }
  return item;
}

function translateIndex(item: string, t: Translation): string {
  if (t.reader.vendor === "mysql") return item.replace(/ IGNORED$/, " INVISIBLE");
  if (/\(\(|,\(/.test(item)) {
    const name = new RegExp(NAME).exec(item)?.[0] ?? "";
    t.remark("error", "target-lacks-feature", `its index "${t.mask.name(name)}" is over an expression`);
  }
  return item.replace(/ INVISIBLE$/, " IGNORED").replace(/ (SECONDARY_)?ENGINE_ATTRIBUTE\s*=?\s*\S+/g, "");
}

/** Table options that one vendor knows alone, and whether leaving them out is worth a word. */
const OPTIONS: Readonly<Record<Server["vendor"], readonly (readonly [RegExp, boolean])[]>> = {
  mysql: [
    [/ (?:PAGE_CHECKSUM|TRANSACTIONAL|IETF_QUOTES|SEQUENCE)=\S+/gi, false],
    [/ \uE000\d+\uE001=\S+/g, true],
  ],
  mariadb: [
    [/ (?:COMPRESSION|ENCRYPTION|AUTOEXTEND_SIZE|TABLESPACE|SECONDARY_ENGINE)\s*=?\s*\S+/gi, true],
    [/ (?:SECONDARY_)?ENGINE_ATTRIBUTE\s*=?\s*\S+/gi, true],
    [/ START TRANSACTION/gi, false],
  ],
};

function translateTail(tail: string, t: Translation): string {
  // Only what stands before the partitions: theirs are written by the same rules, but have options of their own.
  const at = tail.search(/\s*PARTITION BY /);
  let options = at < 0 ? tail : tail.slice(0, at);
  for (const [pattern, worth] of OPTIONS[t.reader.vendor]) {
    options = options.replace(pattern, (option) => {
      if (worth) t.remark("info", "option-left-out", `its option ${t.mask.show(option.trim())} is left out`);
      return "";
    });
  }
  return withCollations(options, t, null) + (at < 0 ? "" : tail.slice(at));
}

/** Character sets and collations under the target's names. */
function withCollations(text: string, t: Translation, item: string | null): string {
  const name = new RegExp(NAME).exec(item ?? "")?.[0];
  const subject = name === undefined ? "its default" : `"${t.mask.name(name)}"`;
  return text
    .replace(/\b(CHARACTER SET |CHARSET=)(\w+)/gi, (all, word: string, name: string) => {
      const there = [name, modernCharset(name), name.replace("utf8mb3", "utf8")].find((one) =>
        t.reader.charsets.has(one)
      );
      if (there !== undefined) return word + there;
      t.remark("error", "target-lacks-charset", `${subject} has the character set ${name}`);
      return all;
    })
    .replace(/\bCOLLATE([ =])(\w+)/gi, (all, between: string, name: string) => {
      const there = collationOn(t.reader, name);
      if (there === null) {
        const charset = modernCharset(name.replace(/_.*/, ""));
        // It has been told already that the reader lacks them all.
        if (![...t.reader.charsets].some((one) => modernCharset(one) === charset)) return all;
        t.remark("error", "target-lacks-collation", `${subject} has the collation ${name}`);
        return all;
      }
      if (there !== name && modernCharset(there) !== modernCharset(name)) {
        t.remark(
          "info",
          "collation-translated",
          `${subject} has the collation ${name}, which becomes ${there}`,
        );
      }
      return `COLLATE${between}${there}`;
    });
}
