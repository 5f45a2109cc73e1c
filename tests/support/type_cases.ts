/**
 * Types of columns, with values at their ends and in their corners.
 * @module
 */
import type { Vendor } from "../servers/mod.ts";

/** A table `t<n> (id INT PRIMARY KEY, v <type>)` and what is inserted as `v`; a NULL comes with it where it may. */
export interface TypeCase {
  /** The column's type and attributes. */
  readonly type: string;
  /** SQL expressions. */
  readonly values: readonly string[];
  /** JSON with members of SQL types (DECIMAL, DATETIME, …), which no SELECT tells. */
  readonly typed?: true;
}

const int = (bits: number): string[] => {
  const half = 2n ** BigInt(bits - 1);
  return [`${-half}`, `${half - 1n}`, "0", "-1", "1"];
};
const uint = (
  bits: number,
): string[] => [`${2n ** BigInt(bits) - 1n}`, "0", "1", `${2n ** BigInt(bits - 1)}`];
const quote = (values: readonly string[]): string[] => values.map((v) => `'${v}'`);

const DATES = quote([
  "0000-00-00",
  "1000-01-01",
  "9999-12-31",
  "2024-02-29",
  "2024-00-00",
  "2024-05-00",
  "2024-02-31",
]);
const CLOCKS = ["00:00:00", "00:00:01", "23:59:59", "12:00:00", "00:01:00"];
const FRACTIONS = ["", ".1", ".12", ".123", ".1234", ".12345", ".123456", ".000001", ".9"];

function datetimes(digits: number): string[] {
  const moments = ["0001-01-01", "1969-12-31", "2038-01-19", "9999-12-31", "2024-00-00", "2024-02-31"]
    .flatMap((d) => CLOCKS.map((c) => `${d} ${c}`));
  const f = digits === 0 ? [""] : FRACTIONS.filter((x) => x.length <= digits + 1);
  return quote(["0000-00-00 00:00:00", ...f.flatMap((x) => moments.map((m) => m + x))]);
}

function timestamps(digits: number): string[] {
  const moments = ["1970-01-01 00:00:01", "2038-01-19 03:14:07", "2000-02-29 23:59:59", "2100-01-01 00:00:00"]
    .filter((m) => m < "2038-02");
  for (let s = 86_399; s < 2 ** 31; s += 43_217_911) {
    moments.push(new Date(s * 1000).toISOString().slice(0, 19).replace("T", " "));
  }
  const f = digits === 0 ? [""] : FRACTIONS.filter((x) => x.length <= digits + 1);
  return quote(["0000-00-00 00:00:00", ...f.flatMap((x) => moments.map((m) => m + x))]);
}

function times(digits: number): string[] {
  const whole = [
    "00:00:00",
    "00:00:01",
    "01:00:00",
    "23:59:59",
    "24:00:00",
    "100:00:00",
    "838:59:58",
    "838:59:59",
  ];
  const f = digits === 0 ? [""] : FRACTIONS.filter((x) => x.length <= digits + 1);
  return quote(f.flatMap((x) => whole.flatMap((w) => [w + x, `-${w}${x}`])));
}

function decimals(precision: number, scale: number): string[] {
  const whole = "9".repeat(precision - scale) || "0";
  const most = scale > 0 ? `${whole}.${"9".repeat(scale)}` : whole;
  const least = scale > 0 ? `0.${"0".repeat(scale - 1)}1` : "1";
  const some = scale > 0
    ? `${"102030405060708".slice(0, Math.max(1, precision - scale - 1))}.0501`
    : "100200300400";
  return [most, `-${most}`, least, `-${least}`, "0", "-0.0000000000000000000000000000000000004", "1000000000"]
    .concat(precision - scale > 15 ? [some, `-${some}`] : []);
}

/** A string of each kind of byte; `stem` is valid in the charset. */
const TEXTS = ["''", "' '", "'a  '", "' a'", "'\\0\\\\\\'\"'", "repeat('x', 250)", "repeat('y', 251)"];
const LONG = ["repeat('z', 65536)", "repeat('wxyz', 5000000)"];
const BYTES = ["''", "x'00'", "x'0000'", "x'6100'", "x'ff00ff'", "x'20'", "x'00ff'", "repeat(x'00', 200)"];

const JSONS = [
  "null",
  "true",
  "false",
  "0",
  "-1",
  "32767",
  "-32768",
  "32768",
  "65535",
  "65536",
  "-32769",
  "2147483647",
  "-2147483648",
  "4294967295",
  "4294967296",
  "9223372036854775807",
  "-9223372036854775808",
  "18446744073709551615",
  "1.0",
  "-0.0",
  "1e308",
  "1e15",
  "1e16",
  "1e20",
  "1e21",
  "123456789012345678.0",
  "1e-5",
  "1e-7",
  "1e-14",
  "1e-15",
  "1.5e-15",
  "5e-324",
  "0.1",
  "1.7976931348623157e308",
  "2.2250738585072014e-308",
  '""',
  '"a\\u0001\\u001f\\u007f\\b\\f\\n\\r\\t\\"\\\\\\\\/"',
  '"é😀\\u2028"',
  "[]",
  "{}",
  '[1, "a", null, true, [], {}, 1.5]',
  '{"b": 1, "a": 2, "aa": 3, "": 4, "é": {"x": [1, [2, [3]]]}}',
  "[".repeat(90) + "1.0" + "]".repeat(90),
  '{"a":'.repeat(90) + "18446744073709551615" + "}".repeat(90),
  '{"__proto__": {"a": 1}, "constructor": 2, "a\\"b": "c"}',
].map((j) => `'${j.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`);

const OPAQUE = [
  "JSON_ARRAY(CAST('1.10' AS DECIMAL(10,2)), CAST('-0.5' AS DECIMAL(65,30)), CAST(0 AS DECIMAL(5,0)))",
  "JSON_OBJECT('d', DATE'2024-02-29', 't', TIME'-12:34:56.000001', 'dt', TIMESTAMP'2024-02-29 23:59:59.5')",
  "JSON_ARRAY(TIME'00:00:00', TIME'838:59:59', TIMESTAMP'0001-01-01 00:00:00', DATE'9999-12-31')",
  "JSON_ARRAY(CAST(x'00ff' AS BINARY), b'101', CAST(repeat(x'00ff', 100) AS BINARY), CAST('' AS BINARY))",
  "JSON_ARRAY(CAST(repeat('a', 57) AS BINARY), CAST(repeat('a', 58) AS BINARY), CAST(repeat('a', 114) AS BINARY))",
  "JSON_ARRAY(ST_GeomFromText('POINT(1 2)'), YEAR('2024-01-01'))",
  "JSON_OBJECT('k', repeat('v', 70000), 'n', 70000, 'i', -70000)",
  "(SELECT JSON_OBJECTAGG(CONCAT('key', n), n * 1.5e0) FROM (SELECT a.n * 100 + b.n AS n FROM shop.digits a, shop.digits b) x)",
  "(SELECT JSON_ARRAYAGG(n * 1000) FROM (SELECT a.n * 100 + b.n AS n FROM shop.digits a, shop.digits b) x)",
  "CAST(CAST(repeat('😀', 200) AS CHAR CHARACTER SET utf8mb4) AS JSON)",
].slice(0, 9);

/** 400 doubles of all sizes, made from bits that look random and are the same every time. */
function doubles(): string[] {
  const bits = new DataView(new ArrayBuffer(8));
  const values: string[] = [];
  for (
    let seed = 1n;
    values.length < 400;
    seed = (seed * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n
  ) {
    bits.setBigUint64(0, seed);
    const wild = bits.getFloat64(0);
    const tame = Number(seed % 10n ** 17n) / 10 ** Number(seed % 34n);
    for (const v of [wild, tame]) if (Number.isFinite(v)) values.push(v.toExponential());
  }
  return values;
}

const GEOMETRIES = [
  "ST_GeomFromText('POINT(1.5 -2)')",
  "ST_GeomFromText('LINESTRING(0 0,1 1,2 2)')",
  "ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 0))')",
  "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')",
  "ST_GeomFromText('POINT(1 2)', 4326)",
  "ST_GeomFromText('LINESTRING(1 2,3 4)', 3857)",
  "ST_GeomFromText('MULTIPOINT(0 0,1 1)')",
  "ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))')",
  "ST_GeomFromText('MULTIPOLYGON(((0 0,10 0,10 10,0 0)),((20 20,30 20,30 30,20 20)))')",
];

const COMMON: TypeCase[] = [
  ...([["TINYINT", 8], ["SMALLINT", 16], ["MEDIUMINT", 24], ["INT", 32], ["BIGINT", 64]] as const)
    .flatMap(([name, bits]) => [
      { type: name, values: int(bits) },
      { type: `${name} UNSIGNED`, values: uint(bits) },
      { type: `${name} ZEROFILL`, values: uint(bits) },
    ]),
  ...([[65, 30], [10, 2], [5, 0], [18, 9], [30, 30], [65, 0], [1, 0], [20, 1], [9, 9], [38, 10]] as const)
    .map(([p, s]) => ({ type: `DECIMAL(${p},${s})`, values: decimals(p, s) })),
  { type: "DECIMAL(10,2) UNSIGNED", values: ["0", "99999999.99"] },
  { type: "DECIMAL(20,4) ZEROFILL", values: ["0", "12.5", "1234567890.5", "9999999999999999.9999"] },
  {
    type: "FLOAT",
    values: ["0", "-0e0", "1.5", "3.402823466e38", "1.175494351e-38", "1.4e-45", "16777217", "-0.1"],
  },
  { type: "FLOAT UNSIGNED", values: ["0", "1.5"] },
  {
    type: "DOUBLE",
    values: ["0", "-0e0", "1e308", "5e-324", "2.2250738585072014e-308", "0.1", "-1.7976931348623157e308"],
  },
  { type: "BOOLEAN", values: ["0", "1", "TRUE"] },
  ...[1, 7, 8, 9, 31, 32, 33, 63, 64].map((n) => ({
    type: `BIT(${n})`,
    values: ["b'0'", "b'1'", `b'${"1".repeat(n)}'`, `b'1${"0".repeat(n - 1)}'`],
  })),
  { type: "DATE", values: DATES },
  { type: "YEAR", values: ["0", "1901", "2155", "2024"] },
  ...[0, 1, 2, 3, 4, 5, 6].flatMap((n) => [
    { type: `DATETIME(${n})`, values: datetimes(n) },
    { type: `TIMESTAMP(${n}) NULL`, values: timestamps(n) },
    { type: `TIME(${n})`, values: times(n) },
  ]),
  { type: "CHAR(255) CHARACTER SET utf8mb4", values: [...TEXTS, "'äöü😀'", "repeat('😀', 255)"] },
  { type: "CHAR(10) CHARACTER SET latin1", values: ["'abc   '", "x'e4f6fc'", "x'818d8f909d'", "''"] },
  { type: "CHAR(10) CHARACTER SET ucs2", values: ["'abc '", "''", "_ucs2 x'00e40020'"] },
  { type: "VARCHAR(60) CHARACTER SET utf8mb4", values: ["'a '", "''", "'äöü😀'", "repeat('😀', 60)"] },
  { type: "VARCHAR(70) CHARACTER SET utf8mb4", values: ["'a '", "repeat('😀', 70)"] },
  { type: "VARCHAR(300) CHARACTER SET latin1", values: [...TEXTS, "repeat(x'e4', 300)"] },
  { type: "VARCHAR(20) CHARACTER SET sjis", values: ["_sjis x'835c'", "_sjis x'5c'", "_sjis x'b1'", "''"] },
  { type: "VARCHAR(20) CHARACTER SET gbk", values: ["_gbk x'815c'", "_gbk x'c4e3bac3'"] },
  { type: "TINYTEXT", values: ["''", "'a '", "repeat('b', 255)"] },
  { type: "TEXT CHARACTER SET utf8mb4", values: [...TEXTS, "repeat('😀', 1000)"] },
  { type: "MEDIUMTEXT CHARACTER SET latin1", values: [...TEXTS, "repeat('z', 65536)"] },
  { type: "LONGTEXT", values: [...TEXTS, ...LONG] },
  {
    type: "BINARY(5)",
    values: ["x'0000000000'", "x'6100000000'", "'a'", "''", "x'ff00ff00ff'", "x'2020202020'"],
  },
  { type: "BINARY(255)", values: BYTES },
  { type: "VARBINARY(300)", values: [...BYTES, "repeat(x'00', 300)"] },
  { type: "TINYBLOB", values: BYTES },
  { type: "BLOB", values: BYTES },
  { type: "MEDIUMBLOB", values: [...BYTES, "repeat(x'ff', 65536)"] },
  { type: "LONGBLOB", values: [...BYTES, "repeat(x'00', 17000000)"] },
  {
    type: "ENUM('a','b,c','it''s','\\\\','é') CHARACTER SET utf8mb4",
    values: ["1", "2", "3", "4", "5", "0"],
  },
  {
    type: `ENUM(${Array.from({ length: 300 }, (_, i) => `'e${i}'`).join(",")})`,
    values: ["'e0'", "'e255'", "'e256'", "'e299'"],
  },
  ...[1, 8, 9, 17, 25, 33, 64].map((n) => ({
    type: `SET(${Array.from({ length: n }, (_, i) => `'s${i}'`).join(",")})`,
    values: ["''", "'s0'", `'s${n - 1}'`, `${2n ** BigInt(n) - 1n}`],
  })),
  { type: "GEOMETRY", values: GEOMETRIES },
  { type: "POINT", values: [GEOMETRIES[0]] },
  { type: "LINESTRING", values: [GEOMETRIES[1]] },
  { type: "POLYGON", values: [GEOMETRIES[2]] },
  { type: "GEOMETRYCOLLECTION", values: [GEOMETRIES[3]] },
  { type: "MULTIPOINT", values: [GEOMETRIES[6]] },
  { type: "MULTILINESTRING", values: [GEOMETRIES[7]] },
  { type: "MULTIPOLYGON", values: [GEOMETRIES[8]] },
];

const MYSQL: TypeCase[] = [
  { type: "JSON", values: JSONS },
  { type: "JSON /* typed */", values: OPAQUE, typed: true },
  { type: "JSON /* doubles */", values: doubles().map((d) => `CAST(${d} AS JSON)`) },
  { type: "VECTOR(3)", values: ["STRING_TO_VECTOR('[1,-2.5,3e10]')", "STRING_TO_VECTOR('[0]')"] },
  { type: "VECTOR(16383)", values: ["STRING_TO_VECTOR('[1]')"] },
];

const UUIDS = [
  "00000000-0000-0000-0000-000000000000",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "123e4567-e89b-12d3-a456-426655440000",
  "f47ac10b-58cc-4372-a567-0e02b2c3d479",
  "01890a5d-ac96-774b-bcce-b302099a8057",
  "1ec9414c-232a-6b00-b3c8-9e6bdeced846",
  "f47ac10b-58cc-4372-a567-000000000000",
  "00000000-0000-1000-8000-00000000ff00",
  "12345678-9abc-def0-1234-56789abcdef0",
  "123e4567-e89b-8000-7456-426655440000",
];

const ADDRESSES = [
  "::",
  "::1",
  "::2",
  "::1.2.3.4",
  "::ffff:1.2.3.4",
  "::ffff:0:0",
  "::ffff",
  "1::",
  "1:0:0:2::3",
  "1:0:2:0:3:0:4:0",
  "1:2:3:4:5:6:7:0",
  "0:2:3:4:5:6:7:8",
  "2001:db8::ff00:42:8329",
  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "1:0:0:2:0:0:0:3",
  "0:0:1:0:0:0:0:0",
  "::1:0:0",
  "::1:0:0:0",
  "0:0:0:0:0:1:2:3",
  "64:ff9b::1.2.3.4",
  "::fffe:1.2.3.4",
];

const MARIADB: TypeCase[] = [
  { type: "JSON", values: ["'{\"a\": 1.0}'", "'null'", "'[1,  2]'"] },
  { type: "UUID", values: quote(UUIDS) },
  { type: "INET4", values: quote(["0.0.0.0", "255.255.255.255", "1.2.3.0", "127.0.0.1"]) },
  { type: "INET6", values: quote(ADDRESSES) },
  { type: "VARCHAR(50) COMPRESSED", values: ["''", "'a'", "repeat('a', 50)"] },
  { type: "VARCHAR(255) COMPRESSED", values: ["''", "'a'", "repeat('a', 255)"] },
  { type: "VARCHAR(1000) COMPRESSED", values: ["''", "' '", "repeat('ab', 500)", "repeat('é', 1000)"] },
  { type: "VARBINARY(1000) COMPRESSED", values: ["''", "x'00'", "repeat(x'0000ff', 300)"] },
  { type: "TINYTEXT COMPRESSED", values: ["''", "repeat('a', 200)"] },
  { type: "TEXT COMPRESSED", values: ["''", "repeat('abc', 5000)"] },
  { type: "LONGBLOB COMPRESSED", values: ["''", "repeat(x'00', 17000000)", "x'80'"] },
  { type: "MEDIUMTEXT CHARACTER SET ucs2 COMPRESSED", values: ["repeat('abc', 5000)"] },
];

/** The tables of one family. */
export function typeCases(vendor: Vendor): TypeCase[] {
  return [...COMMON, ...(vendor === "mysql" ? MYSQL : MARIADB)];
}

/** Types that a key may have, with values in the key's own corners. */
export function keyCases(vendor: Vendor): TypeCase[] {
  const keys = typeCases(vendor).filter((c) =>
    !/TEXT|BLOB|JSON|GEOMETRY|POINT|LINESTRING|POLYGON|VECTOR|COMPRESSED|NULL|FLOAT|DOUBLE|BIT/.test(c.type)
  );
  return keys.map((c) => ({ type: c.type, values: c.values.slice(0, 12) }));
}
