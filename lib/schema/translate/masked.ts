/**
 * SQL text whose names and literals are put aside, so that what is left is keywords, numbers and punctuation and can be
 * read with regular expressions.
 * @module
 */
import { skipQuoted } from "../create_table.ts";

/** Matches a name that was put aside. */
export const NAME = "\uE000\\d+\uE001";
/** Matches a string literal that was put aside. */
export const TEXT = "\uE002\\d+\uE003";

/** Takes names and literals out of SQL texts and puts them back. One for each definition. */
export class Mask {
  readonly #pieces: string[] = [];

  /** The text with every name and literal replaced by a mark. Version comments are opened: their content is SQL. */
  hide(sql: string): string {
    let text = "";
    for (let i = 0; i < sql.length;) {
      const opened = /^\/\*(?:M?!)\d*\s?/.exec(sql.slice(i, i + 12));
      if (opened !== null) {
        const end = commentEnd(sql, i + opened[0].length);
        text += this.hide(sql.slice(i + opened[0].length, end)).trimEnd();
        i = end + 2;
        continue;
      }
      const end = skipQuoted(sql, i);
      if (end === i) {
        text += sql[i++];
        continue;
      }
      const [open, close] = sql[i] === "`" ? ["\uE000", "\uE001"] : ["\uE002", "\uE003"];
      // A comment that is none of the server's says nothing.
      if (sql[i] !== "/") text += open + (this.#pieces.push(sql.slice(i, end)) - 1) + close;
      i = end;
    }
    return text;
  }

  /** The text with its names and literals again. */
  show(text: string): string {
    return text.replace(/[\uE000\uE002](\d+)[\uE001\uE003]/g, (_, n: string) => this.#pieces[Number(n)]);
  }

  /** A name that was put aside, without its quotes. */
  name(mark: string): string {
    return this.show(mark).slice(1, -1).replaceAll("``", "`");
  }
}

/** Where the comment's `*` stands, past the literals in it. */
function commentEnd(sql: string, from: number): number {
  for (let i = from; i < sql.length;) {
    if (sql[i] === "*" && sql[i + 1] === "/") return i;
    i = Math.max(skipQuoted(sql, i), i + 1);
  }
  return sql.length;
}

/** Behind the parenthesis that closes the one at `open`. */
export function closing(masked: string, open: number): number {
  let depth = 0;
  for (let i = open; i < masked.length; i++) {
    if (masked[i] === "(") depth++;
    if (masked[i] === ")" && --depth === 0) return i + 1;
  }
  return masked.length;
}
