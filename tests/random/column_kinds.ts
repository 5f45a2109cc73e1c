/**
 * What a random table's columns may be: types that both families have, with values and filters.
 * @module
 */
import fc from "fast-check";
import type { Vendor } from "../servers/mod.ts";

/** A kind of column. */
export interface ColumnKind {
  /** Its type and attributes, without NULL or NOT NULL. */
  readonly type: string;
  /** SQL literals of its values. */
  readonly values: fc.Arbitrary<string>;
  /** Filters over it; `c` stands for the column. */
  readonly filters: readonly string[];
  /** The family that has it, where not both do. */
  readonly only?: Vendor;
}

/** A text as a SQL literal, whatever the connection's charset. */
const text = (charset: string, unit: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit, maxLength }).map((s) =>
    `CONVERT(_utf8mb4 x'${new TextEncoder().encode(s).toHex()}' USING ${charset})`
  );

const bytes = (maxLength: number, minLength = 0): fc.Arbitrary<string> =>
  fc.uint8Array({ maxLength, minLength }).map((b) => `x'${b.toHex()}'`);

const whole = (min: bigint, max: bigint): fc.Arbitrary<string> =>
  fc.oneof(fc.constantFrom(min, max, 0n, 1n).filter((n) => n >= min && n <= max), fc.bigInt({ min, max }))
    .map(String);

const pad = (n: number, width = 2): string => String(n).padStart(width, "0");
const date = fc.date({ min: new Date("1000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((d) => d.toISOString().slice(0, 10));
const clock = fc.integer({ min: 0, max: 86_399 }).map((s) =>
  `${pad(Math.floor(s / 3600))}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`
);
const fraction = (digits: number) => fc.integer({ min: 0, max: 10 ** digits - 1 }).map((n) => pad(n, digits));
const joined = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => `'${all.join("")}'`);
const ascii = fc.constantFrom(..."abcABC 0129_%'\\\"".split(""));
const wild = fc.oneof(ascii, fc.constantFrom("é", "ß", "ss", "Ω", "日", "😀", " ", "\t"));

/** Every kind. */
export const COLUMN_KINDS: readonly ColumnKind[] = [
  {
    type: "INT",
    values: whole(-2147483648n, 2147483647n),
    filters: ["c % 3 = 0", "c BETWEEN -100 AND 2000000000", "c IS NULL OR c > 0", "NOT (c < 7)"],
  },
  { type: "TINYINT UNSIGNED", values: whole(0n, 255n), filters: ["c IN (0, 1, 255)", "c & 1", "c < '100'"] },
  { type: "MEDIUMINT", values: whole(-8388608n, 8388607n), filters: ["c > -5"] },
  {
    type: "BIGINT UNSIGNED",
    values: whole(0n, 18446744073709551615n),
    filters: ["c > 9223372036854775807", "MOD(c, 2) = 1"],
  },
  {
    type: "DECIMAL(20,6)",
    values: whole(-99999999999999999999n, 99999999999999999999n).map((n) => `${n}e-6`),
    filters: ["c >= 1.5", "ROUND(c) % 2 = 0"],
  },
  {
    type: "DOUBLE",
    values: fc.double({ noNaN: true, noDefaultInfinity: true }).map(number),
    filters: ["c < 1e3"],
  },
  {
    type: "FLOAT",
    values: fc.float({ noNaN: true, noDefaultInfinity: true }).map(number),
    filters: ["c > 0.5"],
  },
  {
    type: "VARCHAR(60) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    values: text("utf8mb4", wild, 40),
    filters: ["c LIKE 'a%'", "c = 'AB'", "c <> 'ß'", "CHAR_LENGTH(c) > 3", "c < 'ö'"],
  },
  {
    type: "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    values: text("utf8mb4", wild, 40),
    filters: ["c > 'b'", "c IN ('', 'a', 'é')"],
  },
  {
    type: "CHAR(12) CHARACTER SET latin1",
    values: text("latin1", fc.oneof(ascii, fc.constantFrom("é", "ß", "ÿ")), 12),
    // Where trailing spaces would matter MariaDB takes no CHAR into a stored column.
    filters: ["c = 'a'", "c > 'B'"],
  },
  { type: "TEXT CHARACTER SET utf8mb4", values: text("utf8mb4", wild, 300), filters: ["c LIKE '%b%'"] },
  { type: "VARBINARY(40)", values: bytes(40), filters: ["c > x'40'", "LENGTH(c) % 2 = 0"] },
  { type: "BINARY(6)", values: bytes(6), filters: ["c < x'80'"] },
  { type: "BLOB", values: bytes(2000), filters: ["LENGTH(c) < 500"] },
  {
    type: "DATE",
    values: fc.oneof(joined(date), fc.constantFrom("'0000-00-00'", "'2024-00-00'", "'2024-02-31'")),
    filters: ["c < '2020-01-01'", "c >= '5000-06-01'"],
  },
  {
    type: "DATETIME(6)",
    values: joined(date, fc.constant(" "), clock, fc.constant("."), fraction(6)),
    filters: ["c > '4000-01-01'", "MICROSECOND(c) < 500000"],
  },
  {
    type: "TIMESTAMP(3) NULL DEFAULT NULL",
    values: fc.integer({ min: 86_400, max: 2_147_300_000 }).chain((s) =>
      fraction(3).map((f) => `'${new Date(s * 1000).toISOString().slice(0, 19).replace("T", " ")}.${f}'`)
    ),
    // A TIMESTAMP in an expression depends on the session's time zone: no server takes it for a stored column.
    filters: ["c IS NOT NULL"],
  },
  {
    type: "TIME(2)",
    values: joined(fc.constantFrom("", "-"), clock, fc.constant("."), fraction(2)),
    filters: ["c > '12:00:00'"],
  },
  { type: "YEAR", values: fc.oneof(fc.constant("0"), whole(1901n, 2155n)), filters: ["c > 2000"] },
  {
    type: "ENUM('x','y,z','it''s','é') CHARACTER SET utf8mb4",
    values: fc.constantFrom("1", "2", "3", "4"),
    filters: ["c IN ('x', 'y,z')", "c = 'É'", "c > 2"],
  },
  { type: "SET('a','b','c','d')", values: whole(0n, 15n), filters: ["FIND_IN_SET('b', c)", "c = 'a,c'"] },
  { type: "BIT(11)", values: whole(0n, 2047n), filters: ["c > 1000", "c = b'101'"] },
  {
    type: "JSON",
    // No numbers with an exponent and no decimals: what JSON prints of them differs between the families.
    values: fc.json({ depthSize: "small", noUnicodeString: true, stringUnit: ascii } as never)
      .map((s) => `'${s.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`),
    filters: ["JSON_LENGTH(c) > 1", "JSON_VALID(c)"],
  },
  {
    type: "UUID",
    values: fc.uuid().map((u) => `'${u}'`),
    filters: ["c > '80000000-0000-0000-0000-000000000000'"],
    only: "mariadb",
  },
  { type: "INET6", values: fc.ipV6().map((a) => `'${a}'`), filters: ["c < '8000::'"], only: "mariadb" },
];

function number(n: number): string {
  return Object.is(n, -0) ? "-0e0" : n.toExponential();
}

/** How rows are told apart: the key's columns, its definition, and the key of the `i`th row. */
export interface KeyKind {
  /** Column definitions. */
  readonly columns: readonly string[];
  /** Names of those columns. */
  readonly names: readonly string[];
  /** `PRIMARY KEY (…)` and the like. */
  readonly definition: string;
  /** SQL literals of the `i`th key; different for every `i`, also as the collation sees it. */
  readonly of: (i: number) => string[];
  /** A single integer column, which others may point at. */
  readonly integer: boolean;
}

const cased = (i: number) => i % 3 === 0 ? `Key ${i}` : i % 3 === 1 ? `KEY ${i}` : `key ${i}é`;

/** Every kind of key. */
export const KEY_KINDS: readonly KeyKind[] = [
  key("INT NOT NULL AUTO_INCREMENT", (i) => `${i + 1}`, true),
  key("INT NOT NULL", (i) => `${i * 7 - 500}`, true),
  key("BIGINT UNSIGNED NOT NULL", (i) => `${2n ** 63n - 300n + BigInt(i)}`, false),
  key("VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL", (i) => `'${cased(i)}'`, false),
  key("VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL", (i) => `'${cased(i)} '`, false),
  key("BINARY(6) NOT NULL", (i) => `x'${pad(i * 2654435761 % 4294967296, 10)}00'`, false),
  key("DECIMAL(12,3) NOT NULL", (i) => `${i - 200}.${pad(i * 37 % 1000, 3)}`, false),
  key("DATETIME(3) NOT NULL", (i) => `'2024-01-01 00:00:00.${pad(i % 1000, 3)}' + INTERVAL ${i} HOUR`, false),
  {
    columns: [
      "`k 1` INT NOT NULL",
      "k2 VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_swedish_ci NOT NULL",
      "k3 DATE NOT NULL",
    ],
    names: ["`k 1`", "k2", "k3"],
    definition: "PRIMARY KEY (`k 1`, k2, k3)",
    of: (i) => [`${i % 17 - 8}`, `'${i % 2 ? "A" : "b"}${Math.floor(i / 4)}'`, `'2024-01-0${1 + i % 4}'`],
    integer: false,
  },
  {
    columns: ["k INT UNSIGNED NOT NULL", "n INT NULL"],
    names: ["k"],
    definition: "UNIQUE KEY `only` (k), UNIQUE KEY nullable (n)",
    of: (i) => [`${i + 4_000_000_000}`],
    integer: true,
  },
];

function key(type: string, of: (i: number) => string, integer: boolean): KeyKind {
  return { columns: [`k ${type}`], names: ["k"], definition: "PRIMARY KEY (k)", of: (i) => [of(i)], integer };
}
