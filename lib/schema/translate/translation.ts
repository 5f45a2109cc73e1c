/**
 * What the rules of translation share.
 * @module
 */
import { isAtLeast, type Server } from "../../mysql/server.ts";
import type { Known } from "./collations.ts";
import type { Mask } from "./masked.ts";

/** Who reads the definition. */
export interface Reader extends Known {
  /** Whose words to use. */
  readonly vendor: Server["vendor"];
  /** Which of them there are. */
  readonly version: Server["version"];
}

/** What becomes of the definition. */
export interface Remark {
  /** `error`: the target cannot hold the table; `warning`: something is lost that rules relied on; `info`: said otherwise. */
  readonly level: "error" | "warning" | "info";
  /** Short name for programs. */
  readonly code: string;
  /** Follows "table X: ". */
  readonly detail: string;
}

/** What a rule needs beside its text. */
export interface Translation {
  /** Names and literals. */
  readonly mask: Mask;
  /** Who reads it. */
  readonly reader: Reader;
  /** Collects what is not the same. */
  remark(level: Remark["level"], code: string, detail: string): void;
}

/** Column types that the reader lacks. */
export function lacksType(type: string, { vendor, version }: Reader): boolean {
  switch (type) {
    case "uuid":
    case "inet4":
    case "inet6":
    case "xmltype":
      return vendor === "mysql";
    case "vector":
      return vendor === "mysql" ? !isAtLeast({ version }, 9, 0) : !isAtLeast({ version }, 11, 7);
    default:
      return false;
  }
}
