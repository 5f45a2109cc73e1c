/**
 * Which collation of the target stands for one of the source. What the target knows by name is kept. Otherwise the one that
 * tells the same strings apart: equal in padding, in case and in accents; the order of what it tells apart may differ.
 * @module
 */

/** MySQL's short language names, as MariaDB says them. Languages that only one of them has are not here. */
const LANGUAGES: Readonly<Record<string, string>> = {
  cs: "czech",
  da: "danish",
  de_pb: "german2",
  eo: "esperanto",
  es: "spanish",
  es_trad: "spanish2",
  et: "estonian",
  hr: "croatian",
  hu: "hungarian",
  is: "icelandic",
  la: "roman",
  lt: "lithuanian",
  lv: "latvian",
  pl: "polish",
  ro: "romanian",
  sk: "slovak",
  sl: "slovenian",
  sv: "swedish",
  tr: "turkish",
  vi: "vietnamese",
};
const SHORT = new Map(Object.entries(LANGUAGES).map(([short, long]) => [long, short]));

/** What a server knows. */
export interface Known {
  /** Full names (`utf8mb4_bin`), lower case. */
  readonly collations: ReadonlySet<string>;
  /** Names, lower case. */
  readonly charsets: ReadonlySet<string>;
}

/** The target's name for a collation, or `null` where it has none that tells the same strings apart. */
export function collationOn(known: Known, name: string): string | null {
  const own = modernCharset(name.toLowerCase());
  return candidates(own).find((one) => known.collations.has(one)) ?? null;
}

/** `utf8`, which both have called `utf8mb3` for years. */
export function modernCharset(name: string): string {
  return name.replace(/^utf8(?=_|$)/, "utf8mb3");
}

/** What may stand for it, the nearest first; itself before all. */
function candidates(name: string): string[] {
  const found = [name, name.replace(/^utf8mb3(?=_|$)/, "utf8")];
  const mysql = /^utf8mb4_(?:(\w+?)_)?0900_(ai_ci|as_ci|as_cs|bin)$/.exec(name);
  if (mysql !== null) {
    const [, short, strength] = mysql;
    if (strength === "bin") return [...found, "utf8mb4_nopad_bin"];
    if (short !== undefined && !(short in LANGUAGES)) return found;
    const language = short === undefined ? "" : `${LANGUAGES[short]}_`;
    found.push(`utf8mb4_uca1400_${language}nopad_${strength}`);
    // What MariaDB had before 10.10.
    if (strength === "ai_ci" && short === undefined) found.push("utf8mb4_unicode_520_nopad_ci");
    return found;
  }
  const mariadb = /^(\w+?)_uca1400_(?:([a-z]+2?)_)??(nopad_)?(a[is]_c[is])$/.exec(name);
  if (mariadb !== null) {
    const [, charset, language, nopad, strength] = mariadb;
    if (nopad === undefined) {
      if (strength === "ai_ci") found.push(`${charset}_${language ?? "unicode_520"}_ci`);
    } else if (charset === "utf8mb4" && (language === undefined || SHORT.has(language))) {
      found.push(`utf8mb4_${language === undefined ? "" : `${SHORT.get(language)}_`}0900_${strength}`);
    }
    return found;
  }
  if (name === "utf8mb4_nopad_bin") found.push("utf8mb4_0900_bin");
  if (/^utf8mb4_(general|unicode|unicode_520)_nopad_ci$/.test(name)) found.push("utf8mb4_0900_ai_ci");
  if (/_croatian_mysql561_ci$/.test(name)) found.push(name.replace("_mysql561", ""));
  return found;
}
