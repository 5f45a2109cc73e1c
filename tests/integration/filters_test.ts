/**
 * I6: a row is in the target if and only if the filter holds for its newest image, and it is the source's server that says
 * so, for copied rows and replayed changes alike.
 */
import { ferryFilters, type FilterCase } from "../support/filters.ts";
import { onEachFlavour } from "../support/flavours.ts";

const CASES: readonly FilterCase[] = [
  {
    name: "integers",
    columns: { a: "INT" },
    values: [["1"], ["2"], ["NULL"], ["-7"]],
    where: "a > 0 AND a < 2",
  },
  { name: "is_null", columns: { a: "INT" }, values: [["1"], ["NULL"]], where: "a IS NULL" },
  { name: "not_unknown", columns: { a: "INT" }, values: [["1"], ["2"], ["NULL"]], where: "NOT (a = 1)" },
  {
    name: "in_list",
    columns: { a: "INT" },
    values: [["1"], ["2"], ["3"], ["NULL"]],
    where: "a IN (1, 3, NULL)",
  },
  { name: "number_alone", columns: { a: "INT" }, values: [["0"], ["5"], ["NULL"]], where: "a" },
  {
    name: "boolean",
    columns: { a: "BOOLEAN" },
    values: [["TRUE"], ["FALSE"], ["NULL"]],
    where: "a IS NOT TRUE",
  },
  {
    name: "by_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    where: "id % 3 = 1 OR (a = 2 AND id > 600)",
  },
  {
    name: "ci_collation",
    columns: { a: "VARCHAR(20) COLLATE utf8mb4_general_ci" },
    values: [["'foo'"], ["'FOO'"], ["'Foo '"], ["'bar'"], ["NULL"], ["'foö'"]],
    where: "a = 'foo'",
  },
  {
    name: "bin_collation",
    columns: { a: "VARCHAR(20) COLLATE utf8mb4_bin" },
    values: [["'foo'"], ["'FOO'"], ["'foo '"]],
    where: "a = 'foo'",
  },
  {
    name: "not_ascii",
    columns: { a: "VARCHAR(20) COLLATE utf8mb4_general_ci", b: "VARCHAR(20) CHARACTER SET latin1" },
    values: [["'Zürich'", "'x'"], ["'zurich'", "'é'"], ["'Bern'", "'É'"], ["'😀'", "'e'"], ["'x'", "'y'"]],
    where: "a = 'ZÜRICH' OR a = '😀' OR b = 'é'",
  },
  {
    name: "not_ascii_bin",
    columns: {
      a: "VARCHAR(20) COLLATE utf8mb4_bin",
      b: "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin",
    },
    values: [["'Zürich'", "'x'"], ["'zurich'", "'é'"], ["'Bern'", "'É'"], ["'😀'", "'e'"]],
    where: "a IN ('Zürich', '😀') OR b = 'é'",
  },
  {
    name: "like",
    columns: { a: "VARCHAR(20) COLLATE utf8mb4_general_ci" },
    values: [["'Übung'"], ["'ueben'"], ["'uber_x'"], ["'a%b'"], ["''"]],
    where: "a LIKE 'ü%' OR a LIKE '%\\\\%%'",
  },
  {
    name: "numeric_string",
    columns: { a: "VARCHAR(20)" },
    values: [["'5'"], ["'05'"], ["'5.0'"], ["'5x'"], ["'x5'"], ["''"], ["NULL"]],
    where: "a = 5",
  },
  {
    name: "string_for_number",
    columns: { a: "BIGINT UNSIGNED" },
    values: [["18446744073709551615"], ["18446744073709551614"], ["5"], ["0"]],
    where: "a = '18446744073709551615' OR a < '05'",
  },
  {
    name: "decimals",
    columns: { a: "DECIMAL(20,10)", b: "DOUBLE" },
    values: [["1.1", "1.1"], ["1.1000000001", "0.1"], ["-3", "-3"], ["NULL", "0"]],
    where: "a = b OR a / 3 < -0.99",
  },
  {
    name: "dates",
    columns: { a: "DATE", b: "DATETIME(3)", c: "TIMESTAMP(6) NULL", d: "TIME(2)" },
    values: [
      ["'2026-01-15'", "'2026-01-15 12:00:00.5'", "'2026-01-15 12:00:00.000001'", "'10:00:00'"],
      ["'2026-02-01'", "'2026-01-31 23:59:59.999'", "'2026-01-31 23:59:59.999999'", "'-10:00:00'"],
      ["'2027-01-01'", "NULL", "NULL", "'100:00:00'"],
      ["NULL", "'2025-01-01'", "'2025-01-01'", "NULL"],
    ],
    where: "a BETWEEN '2026-01-01' AND '2026-01-31' OR d < 0 OR YEAR(b) = 2025",
  },
  {
    name: "timestamps",
    columns: { a: "TIMESTAMP(6) NULL" },
    values: [["'2026-01-15 12:00:00.000001'"], ["'2026-01-15 12:00:00'"], ["NULL"]],
    where: "a > '2026-01-15 12:00:00'",
  },
  {
    name: "enums",
    columns: { a: "ENUM('new','paid','sent')", b: "SET('x','y','z')" },
    values: [["'new'", "'x,z'"], ["'paid'", "'y'"], ["'sent'", "''"], ["NULL", "NULL"]],
    where: "a = 'PAID' OR FIND_IN_SET('z', b)",
  },
  {
    name: "enum_index",
    columns: { a: "ENUM('2','1','0')" },
    values: [["'2'"], ["'1'"], ["'0'"]],
    where: "a + 0 = 1",
  },
  {
    name: "bits",
    columns: { a: "BIT(12)" },
    values: [["1"], ["4095"], ["2048"], ["NULL"]],
    where: "a & 2048",
  },
  {
    name: "bytes",
    columns: { a: "VARBINARY(20)", b: "BLOB", c: "BINARY(4)" },
    values: [["x'00ff'", "'a'", "'a'"], ["x'00'", "'A'", "x'61000000'"], ["'é'", "NULL", "'A'"]],
    where: "a = 'é' OR b = 'a' OR c = 'A'",
  },
  {
    name: "json",
    columns: { a: "JSON" },
    values: [[`'{"k": "x", "n": 5}'`], [`'{"k": "X", "n": 5.0}'`], [`'{"n": "5"}'`], ["NULL"], ["'null'"]],
    where: "JSON_UNQUOTE(JSON_EXTRACT(a, '$.k')) = 'x' OR JSON_EXTRACT(a, '$.n') = '5'",
  },
  {
    name: "json_arrow",
    columns: { a: "JSON" },
    values: [[`'{"k": "é", "n": 5}'`], [`'{"k": "X", "n": 5.0}'`], [`'{"n": "5"}'`], ["NULL"], ["'null'"]],
    where: "a->>'$.k' = 'é' OR a->'$.n' = 5",
    only: ["mysql"],
  },
  {
    name: "generated",
    columns: { a: "INT", b: "VARCHAR(20) COLLATE utf8mb4_general_ci" },
    generated:
      "v VARCHAR(30) COLLATE utf8mb4_general_ci AS (CONCAT(b, '-ü')) VIRTUAL, s INT AS (a * 2) STORED",
    values: [["1", "'x'"], ["2", "'y'"], ["NULL", "NULL"]],
    where: "v = 'X-Ü' OR s = 4",
  },
  {
    name: "geometry",
    columns: { a: "POINT" },
    values: [["ST_GeomFromText('POINT(1 2)')"], ["ST_GeomFromText('POINT(3 4)')"], ["NULL"]],
    where: "ST_X(a) > 2",
  },
  {
    name: "long_texts",
    columns: { a: "MEDIUMTEXT", b: "TEXT CHARACTER SET utf16" },
    values: [["REPEAT('xy', 900)", "'é'"], ["REPEAT('xy', 901)", "'e'"], ["NULL", "NULL"]],
    where: "CHAR_LENGTH(a) = 1802 OR b IS NULL",
  },
  {
    name: "comment_at_the_end",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    where: "a = 1 /* one */ -- and no more",
  },
  {
    name: "string_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "VARCHAR(40) COLLATE utf8mb4_general_ci", of: (n) => `'${n % 2 ? "É" : "a"}-${n}'` },
    where: "id LIKE 'é%' AND a = 1",
  },
  {
    name: "latin1_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "VARCHAR(40) CHARACTER SET latin1", of: (n) => `'${n % 2 ? "ü" : "x"}${n}'` },
    where: "a = 1 OR id = 'Ü5'",
  },
  {
    name: "bytes_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "BINARY(6)", of: (n) => `UNHEX(LPAD(HEX(${n} * 1048583), 12, 'F'))` },
    where: "a = 1",
  },
  {
    name: "decimal_key",
    columns: { a: "INT" },
    values: [["1"], ["2"]],
    key: { type: "DECIMAL(10,3)", of: (n) => `${n - 600}.125` },
    where: "a = 1 OR id < -500",
  },
];

onEachFlavour("rows are in the target if and only if their filter holds", async ({ source, target }) => {
  await ferryFilters(source, target, CASES);
});
