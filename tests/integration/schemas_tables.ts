/**
 * Tables of every kind that a schema can hold: what they are made of, what becomes of them, and rows for both roads.
 */
import type { Vendor } from "../servers/mod.ts";

/** One table. */
export interface SchemaCase {
  /** What it is about; also its name, unless `table` says another. */
  name: string;
  /** Its name where that is the point. */
  table?: string;
  /** What stands behind CREATE TABLE and its name. */
  ddl: string;
  /** Families whose server can hold it; both, when not said. */
  on?: Vendor;
  /** Statements for the session that makes it. */
  session?: string;
  /** Rows (`INSERT INTO t …`) that are there before. */
  rows: string[];
  /** Statements while the ferry runs; `t` is the table. */
  writes: string[];
  /** What SHOW CREATE TABLE of the other family's target says of it. */
  there?: RegExp[];
  /** What it must not say. */
  notThere?: RegExp[];
}

/** Tables that arrive. */
export const CASES: SchemaCase[] = [
  {
    name: "plain",
    ddl:
      `(id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a TINYINT(1), b INT UNSIGNED, c BIGINT, v VARCHAR(20) NOT NULL DEFAULT 'it''s \\\\ "ß"',
      d DECIMAL(10,2) DEFAULT '1.50', f DOUBLE DEFAULT 1.5, g FLOAT(7,2), y YEAR, bits BIT(4) DEFAULT b'101', t TIME(3), dt DATE DEFAULT '2020-02-02')
      COMMENT 'it''s; -- (a) comment, 日本' CHARSET utf8mb4`,
    rows: [
      "(a, b, c, v, d, f, g, y, bits, t) VALUES (1, 4294967295, -1, 'é', 1.25, 1e20, 1.25, 1901, 5, '-838:59:59')",
      "(f) VALUES (5e-324), (1.7976931348623157e308), (0.1), (1e15), (1e-7), (123456789012345680), (2.2250738585072014e-308)",
    ],
    writes: [
      "INSERT INTO t (v, f, y) VALUES ('日本', -4.370344554528119e-195, 0)",
      "UPDATE t SET f = f / 3, c = 9223372036854775807 WHERE id < 5",
      "DELETE FROM t WHERE id = 6",
    ],
    there: [/COMMENT='it''s; -- \(a\) comment, 日本'/, /DEFAULT 'it''s \\\\ "ß"'/],
  },
  {
    name: "moments",
    ddl: `(id INT PRIMARY KEY, a TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
      b TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), c DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6),
      d DATE DEFAULT (CURRENT_DATE), e DATETIME DEFAULT '2000-01-01 00:00:00')`,
    rows: ["(id) VALUES (1), (2)"],
    writes: ["INSERT INTO t (id) VALUES (3)", "UPDATE t SET id = 9 WHERE id = 2"],
    there: [/ON UPDATE current_timestamp\(3\)/i, /DEFAULT \(?curdate\(\)\)?/],
  },
  {
    name: "defaults",
    ddl:
      `(id INT PRIMARY KEY, a INT DEFAULT (1 + 2), b VARCHAR(36) DEFAULT (UUID()), c TEXT DEFAULT ('ß, ''x'''), d VARCHAR(9) DEFAULT (CONCAT('a', 'b')),
      e BLOB DEFAULT ('abc'), n INT DEFAULT NULL, z VARCHAR(3) DEFAULT '', neg INT DEFAULT -5) CHARSET utf8mb4`,
    rows: ["(id) VALUES (1)"],
    writes: ["INSERT INTO t (id) VALUES (2)", "DELETE FROM t WHERE id = 1"],
    there: [/`b` .*DEFAULT \(?uuid\(\)\)?/, /`c` text.* DEFAULT \(?(_utf8mb4)?\\?'ß, /],
  },
  {
    name: "labels",
    ddl:
      `(id INT PRIMARY KEY, e ENUM('ß','é','a,b','it''s') CHARACTER SET latin1 DEFAULT 'é', s SET('x','ü') CHARACTER SET utf8mb4 DEFAULT 'x,ü',
      k ENUM('я','') CHARACTER SET cp1251 NOT NULL)`,
    rows: ["VALUES (1, 1, 3, 1), (2, 'it''s', '', 2)"],
    writes: ["INSERT INTO t VALUES (3, 'ß', 'ü', 1)", "UPDATE t SET e = 'a,b' WHERE id = 1"],
    there: [
      /enum\('ß','é','a,b','it''s'\) CHARACTER SET latin1 COLLATE latin1_swedish_ci DEFAULT 'é'/,
      /enum\('я',''\)/,
    ],
  },
  {
    name: "charsets",
    ddl:
      `(k VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_german1_ci PRIMARY KEY, a CHAR(5) CHARACTER SET utf8mb3 COLLATE utf8mb3_bin, b VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
      c TEXT CHARACTER SET gbk, d VARCHAR(5) CHARACTER SET utf16, e VARCHAR(5) CHARACTER SET ascii, f VARCHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci)`,
    rows: ["VALUES ('ä', 'é', '🙂', '中', '🙂', 'x', 'ß'), ('B', 'x  ', 'x  ', '', NULL, '', 'z')"],
    writes: ["INSERT INTO t (k, a) VALUES ('ß', 'ß')", "UPDATE t SET k = 'AE' WHERE k = 'ä'"],
    there: [/utf8mb3_bin/, /utf8mb4_unicode_ci/, /latin1_german1_ci/],
  },
  {
    name: "indexes",
    ddl:
      `(id INT NOT NULL, a VARCHAR(200), b INT, c TEXT, p POINT NOT NULL, PRIMARY KEY (id), UNIQUE KEY u (a(10), b), KEY d (b DESC, id), KEY pre (a(5)) COMMENT 'x''y',
      FULLTEXT KEY ft (c), SPATIAL KEY sp (p), KEY \`odd \`\`name\` (b)) CHARSET utf8mb4 COLLATE utf8mb4_general_ci ROW_FORMAT=DYNAMIC`,
    rows: ["VALUES (1, 'a', 1, 'some words', ST_GeomFromText('POINT(1 2)'))"],
    writes: [
      "INSERT INTO t VALUES (2, 'b', 2, 'more words', ST_GeomFromText('POINT(3 4)'))",
      "UPDATE t SET b = 5, p = ST_GeomFromText('POINT(9 9)') WHERE id = 1",
    ],
    there: [
      /KEY `d` \(`b` DESC,`id`\)/,
      /FULLTEXT KEY `ft`/,
      /SPATIAL KEY `sp`/,
      /UNIQUE KEY `u` \(`a`\(10\),`b`\)/,
      /KEY `odd ``name`/,
      /COMMENT 'x''y'/,
    ],
  },
  {
    name: "generated",
    ddl:
      `(id INT PRIMARY KEY, a VARCHAR(20), c INT GENERATED ALWAYS AS (id + 1) VIRTUAL, d VARCHAR(30) GENERATED ALWAYS AS (CONCAT(a, '-ß')) STORED, KEY c (c), KEY d (d(3))) CHARSET utf8mb4`,
    rows: ["(id, a) VALUES (1, 'x'), (2, NULL)"],
    writes: [
      "INSERT INTO t (id, a) VALUES (3, 'z')",
      "UPDATE t SET a = 'y' WHERE id = 1",
      "DELETE FROM t WHERE id = 2",
    ],
    there: [/`c` int.* GENERATED ALWAYS AS \(.*\) VIRTUAL/, /`d` varchar.* STORED/, /-ß/],
  },
  {
    name: "generated not null",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, d INT GENERATED ALWAYS AS (id * 2) STORED NOT NULL COMMENT 'twice')",
    rows: ["(id) VALUES (1)"],
    writes: ["INSERT INTO t (id) VALUES (2)"],
    there: [/`d` int.* STORED COMMENT 'twice'/],
    notThere: [/STORED NOT NULL/],
  },
  {
    name: "invisible",
    ddl:
      "(id INT PRIMARY KEY, a INT INVISIBLE DEFAULT 3, b VARCHAR(5) INVISIBLE DEFAULT NULL COMMENT 'INVISIBLE')",
    rows: ["(id, a, b) VALUES (1, 2, 'x')", "(id) VALUES (2)"],
    writes: ["INSERT INTO t (id) VALUES (3)", "UPDATE t SET a = 9 WHERE id = 1"],
    there: [/`a` int.* INVISIBLE/, /`b` .* INVISIBLE.* COMMENT 'INVISIBLE'/],
  },
  {
    name: "generated invisible primary key",
    on: "mysql",
    session: "SET SESSION sql_generate_invisible_primary_key = ON",
    ddl: "(a INT, b VARCHAR(5))",
    rows: ["(a, b) VALUES (1, 'x'), (1, 'x')"],
    writes: [
      "INSERT INTO t (a) VALUES (3)",
      "UPDATE t SET a = 4 WHERE my_row_id = 1",
      "DELETE FROM t WHERE my_row_id = 2",
    ],
    there: [/`my_row_id` bigint\(20\) unsigned NOT NULL.* INVISIBLE/, /PRIMARY KEY \(`my_row_id`\)/],
  },
  {
    name: "checks",
    ddl:
      `(id INT PRIMARY KEY CHECK (id > 0), a VARCHAR(9), b INT, CONSTRAINT schemas_a CHECK (a <> 'ß' AND b IN (1, 2, 3)), CHECK (b < 100)) CHARSET utf8mb4`,
    rows: ["VALUES (1, 'x', 2)"],
    writes: ["INSERT INTO t VALUES (2, 'é', 3)", "DELETE FROM t WHERE id = 1"],
    there: [/CONSTRAINT `schemas_a` CHECK .*'ß'/, /CHECK \(.*`id`.* > 0/],
  },
  {
    name: "more checks",
    ddl: `(id INT PRIMARY KEY, b INT, CHECK (b < 100), CHECK (b > 0))`,
    rows: ["VALUES (1, 2)"],
    writes: ["INSERT INTO t VALUES (2, 3)"],
    there: [/CHECK \(.*`b`.* < 100/, /CHECK \(.*`b`.* > 0/],
  },
  {
    name: "check not enforced",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, a INT, CONSTRAINT loose CHECK (a > 10) NOT ENFORCED)",
    rows: ["VALUES (1, 2)"],
    writes: ["INSERT INTO t VALUES (2, 3)"],
    notThere: [/CHECK/],
  },
  {
    name: "partitions",
    ddl:
      `(id INT, d DATE, PRIMARY KEY (id, d)) PARTITION BY RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2000) COMMENT = 'it''s', PARTITION \`p 1\` VALUES LESS THAN MAXVALUE)`,
    rows: ["VALUES (1, '1999-01-01'), (2, '2020-01-01')"],
    writes: ["INSERT INTO t VALUES (3, '1980-01-01')", "UPDATE t SET d = '2001-01-01' WHERE id = 1"],
    there: [
      /PARTITION BY RANGE \(year\(`d`\)\)/,
      /`?p0`? VALUES LESS THAN \(2000\) COMMENT = 'it(''|\\')s'/,
      /`p 1` VALUES LESS THAN MAXVALUE/,
    ],
  },
  {
    name: "hash partitions",
    ddl: `(id INT PRIMARY KEY, a INT) PARTITION BY HASH (id) PARTITIONS 3`,
    rows: ["VALUES (1, 1), (2, 2), (3, 3)"],
    writes: ["DELETE FROM t WHERE id = 2"],
    there: [/PARTITION BY HASH \(`id`\)\s+PARTITIONS 3/],
  },
  {
    name: "json",
    ddl: `(id INT PRIMARY KEY, j JSON, k JSON NOT NULL)`,
    rows: [
      `VALUES (1, '{"b": 1.0, "a": [1, -0.0, 1e20, 1e-7, 9223372036854775807, "ß\\\\u0001"], "d":{}}', '[ 1,  2 ]'), (2, NULL, 'null')`,
    ],
    writes: [
      `INSERT INTO t VALUES (3, '{"x": 123456.5, "y": [1e300, 5e-324, 0.1, 1e15, 1e16, 1e17, 123456789012345680.0], "bb": true, "a": null}', '""')`,
      `UPDATE t SET j = '[18446744073709551615, 1e15, 100.0, 1e-5, 0.00001234]', k = '{"longer": "é\\\\n"}' WHERE id = 2`,
    ],
    there: [/`j` longtext.*utf8mb4_bin/, /json_valid/],
  },
  {
    name: "geometry",
    ddl: `(id INT PRIMARY KEY, g GEOMETRY, c GEOMETRYCOLLECTION, p POLYGON, m MULTIPOINT)`,
    rows: [
      `VALUES (1, ST_GeomFromText('POINT(1 2)', 4326), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))'), NULL, ST_GeomFromText('MULTIPOINT(1 1,2 2)'))`,
    ],
    writes: [
      "INSERT INTO t VALUES (2, ST_GeomFromText('LINESTRING(0 0,1 1)', 3857), NULL, ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'), NULL)",
      "UPDATE t SET g = ST_GeomFromText('POINT(7 8)', 4326) WHERE id = 1",
    ],
    there: [/`c` geom(etry)?collection/],
  },
  {
    name: "spatial reference",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, p POINT NOT NULL SRID 4326, SPATIAL KEY (p))",
    rows: ["VALUES (1, ST_SRID(POINT(1, 2), 4326))"],
    writes: ["INSERT INTO t VALUES (2, ST_SRID(POINT(3, 4), 4326))"],
  },
  {
    name: "ignored index",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, a INT, KEY k (a) INVISIBLE)",
    rows: ["VALUES (1, 2)"],
    writes: ["UPDATE t SET a = 3"],
    there: [/KEY `k` \(`a`\) IGNORED/],
  },
  {
    name: "invisible index",
    on: "mariadb",
    ddl: "(id INT PRIMARY KEY, a INT, KEY k (a) IGNORED)",
    rows: ["VALUES (1, 2)"],
    writes: ["UPDATE t SET a = 3"],
    there: [/KEY `k` \(`a`\) \/\*!80000 INVISIBLE \*\//],
  },
  {
    name: "functional index",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, a INT, KEY f ((a + 1)), UNIQUE KEY g ((a * 2), id)) ",
    rows: ["VALUES (1, 2)"],
    writes: ["UPDATE t SET a = 3"],
  },
  {
    name: "options of mysql",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, a INT) COMPRESSION='zlib' AUTOEXTEND_SIZE=4M STATS_PERSISTENT=1 MAX_ROWS=1000",
    rows: ["VALUES (1, 2)"],
    writes: ["UPDATE t SET a = 3"],
    there: [/STATS_PERSISTENT=1/],
    notThere: [/COMPRESSION|AUTOEXTEND/],
  },
  {
    name: "options of mariadb",
    on: "mariadb",
    ddl:
      "(id INT PRIMARY KEY, a VARCHAR(2000) COMPRESSED DEFAULT 'x', b BLOB COMPRESSED) PAGE_COMPRESSED=1 ENCRYPTED=NO PAGE_CHECKSUM=1 TRANSACTIONAL=1 STATS_PERSISTENT=1",
    rows: ["VALUES (1, 'y', REPEAT('z', 1000))"],
    writes: ["UPDATE t SET a = REPEAT('a', 1999)", "INSERT INTO t VALUES (2, NULL, NULL)"],
    there: [/STATS_PERSISTENT=1/, /`a` varchar\(2000\) .*DEFAULT 'x'/],
    notThere: [/COMPRESSED|ENCRYPTED|PAGE_CHECKSUM|TRANSACTIONAL/],
  },
  {
    name: "text defaults of mariadb",
    on: "mariadb",
    ddl:
      "(id INT PRIMARY KEY, a TEXT DEFAULT 'ß', b BLOB DEFAULT 'b', j JSON DEFAULT '{}', d VARCHAR(40) DEFAULT current_timestamp(), e DATETIME(3) DEFAULT current_timestamp()) CHARSET utf8mb4",
    rows: ["(id) VALUES (1)"],
    writes: ["INSERT INTO t (id) VALUES (2)"],
    there: [
      /`a` text.* DEFAULT \(_utf8mb4'ß'\)/,
      /`d` varchar\(40\).* DEFAULT \(now\(\)\)/,
      /`e` datetime\(3\) DEFAULT CURRENT_TIMESTAMP\(3\)/,
    ],
  },
  {
    name: "collations of mysql",
    on: "mysql",
    ddl:
      `(k VARCHAR(20) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, a VARCHAR(9) COLLATE utf8mb4_0900_as_cs, b VARCHAR(9) COLLATE utf8mb4_de_pb_0900_as_cs, c VARCHAR(9) COLLATE utf8mb4_0900_bin,
      d VARCHAR(9) COLLATE utf8mb4_sv_0900_ai_ci, UNIQUE KEY (a)) CHARSET utf8mb4`,
    rows: [
      "VALUES ('a', 'a', 'x', 'y', 'z'), ('b ', 'A', 'x', 'y', 'z'), ('b', 'á', 'x', 'y', 'z'), ('-', 'ä', NULL, NULL, NULL)",
    ],
    writes: ["INSERT INTO t VALUES ('ß', 'ß', '', '', '')", "UPDATE t SET k = 'A' WHERE k = 'a'"],
    there: [
      /`k` varchar\(20\).* NOT NULL/,
      /`a` .*utf8mb4_uca1400_nopad_as_cs/,
      /`b` .*utf8mb4_uca1400_german2_nopad_as_cs/,
      /`c` .*utf8mb4_nopad_bin/,
      /`d` .*utf8mb4_uca1400_swedish_nopad_ai_ci/,
      /COLLATE=utf8mb4_uca1400_nopad_ai_ci/,
    ],
  },
  {
    name: "collations of mariadb",
    on: "mariadb",
    ddl:
      `(k VARCHAR(20) COLLATE utf8mb4_uca1400_nopad_ai_ci PRIMARY KEY, a VARCHAR(9) COLLATE utf8mb4_uca1400_nopad_as_cs, b VARCHAR(9) COLLATE utf8mb4_uca1400_ai_ci, c VARCHAR(9) COLLATE utf8mb4_nopad_bin,
      d VARCHAR(9) COLLATE utf8mb4_uca1400_swedish_nopad_ai_ci, e VARCHAR(9) CHARACTER SET utf8mb3 COLLATE utf8mb3_uca1400_ai_ci, UNIQUE KEY (a)) CHARSET utf8mb4 COLLATE utf8mb4_uca1400_swedish_ai_ci`,
    rows: [
      "VALUES ('a', 'a', 'x', 'y', 'z', 'é'), ('b ', 'A', 'x', 'y', 'z', ''), ('b', 'á', 'x', 'y', 'z', NULL), ('-', 'ä', NULL, NULL, NULL, 'x')",
    ],
    writes: ["INSERT INTO t VALUES ('ß', 'ß', '', '', '', '')", "UPDATE t SET k = 'A' WHERE k = 'a'"],
    there: [
      /`a` .*utf8mb4_0900_as_cs/,
      /`b` .*utf8mb4_unicode_520_ci/,
      /`c` .*utf8mb4_0900_bin/,
      /`d` .*utf8mb4_sv_0900_ai_ci/,
      /`e` .*utf8mb3_unicode_520_ci/,
      /COLLATE=utf8mb4_swedish_ci/,
    ],
  },
  {
    name: "zerofill",
    ddl:
      "(id INT(6) UNSIGNED ZEROFILL PRIMARY KEY, a DECIMAL(8,2) ZEROFILL, b TINYINT(1), c BIGINT(20) UNSIGNED ZEROFILL)",
    rows: ["VALUES (42, 1.5, 1, 18446744073709551615)"],
    writes: ["INSERT INTO t VALUES (7, 0, 0, 1)", "UPDATE t SET id = 8 WHERE id = 7"],
    there: [/`id` int\(6\) unsigned zerofill/, /`b` tinyint\(1\)/],
  },
  {
    name: "counter",
    ddl: "(id INT NOT NULL AUTO_INCREMENT, g INT, PRIMARY KEY (g, id), KEY (id)) AUTO_INCREMENT = 500",
    rows: ["(g) VALUES (1), (2)"],
    writes: [
      "INSERT INTO t (g) VALUES (9)",
      "INSERT INTO t (id, g) VALUES (900, 1)",
      "DELETE FROM t WHERE id > 500",
    ],
    there: [/AUTO_INCREMENT=901/],
  },
  {
    name: "emoji",
    table: "o`d.d \"n'ame",
    ddl: "(`i``d` INT PRIMARY KEY, `a.b` INT, `c d` INT, `'q'` INT, `日本` INT, KEY `k.``1` (`a.b`))",
    rows: ["VALUES (1, 2, 3, 4, 5)"],
    writes: [
      "INSERT INTO t VALUES (2, 2, 3, 4, 5)",
      "UPDATE t SET `i``d` = 7 WHERE `a.b` = 2 AND `i``d` = 1",
    ],
    there: [/`日本` int/, /KEY `k\.``1`/],
  },
  {
    name: "long",
    table: "n".repeat(64),
    ddl: `(\`${"c".repeat(64)}\` INT PRIMARY KEY, \`${"é".repeat(64)}\` INT)`,
    rows: ["VALUES (1, 2)"],
    writes: ["INSERT INTO t VALUES (2, 2)"],
  },
];

/** Cases that one family holds and the other cannot: what the preflight says of them. */
export const REFUSED: { name: string; on: Vendor; ddl: string; code: string; says: RegExp }[] = [
  {
    name: "uuid",
    on: "mariadb",
    ddl: "(id INT PRIMARY KEY, u UUID)",
    code: "target-lacks-type",
    says: /"u" is of type uuid/,
  },
  {
    name: "inet",
    on: "mariadb",
    ddl: "(id INT PRIMARY KEY, a INET6, b INET4)",
    code: "target-lacks-type",
    says: /"a" is of type inet6.*"b" is of type inet4/,
  },
  {
    name: "vec",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, v VECTOR(3))",
    code: "target-lacks-type",
    says: /"v" is of type vector/,
  },
  {
    name: "chinese",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, c VARCHAR(9) CHARACTER SET gb18030)",
    code: "target-lacks-charset",
    says: /"c" has the character set gb18030/,
  },
  {
    name: "japanese",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, c VARCHAR(9) COLLATE utf8mb4_ja_0900_as_cs)",
    code: "target-lacks-collation",
    says: /"c" has the collation utf8mb4_ja_0900_as_cs/,
  },
  {
    name: "padded",
    on: "mariadb",
    ddl: "(id INT PRIMARY KEY, c VARCHAR(9) COLLATE utf8mb4_uca1400_as_cs)",
    code: "target-lacks-collation",
    says: /"c" has the collation utf8mb4_uca1400_as_cs/,
  },
  {
    name: "latin",
    on: "mariadb",
    ddl: "(id INT PRIMARY KEY, c VARCHAR(9) CHARACTER SET latin1 COLLATE latin1_swedish_nopad_ci)",
    code: "target-lacks-collation",
    says: /latin1_swedish_nopad_ci/,
  },
  {
    name: "func",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, a INT, KEY fi ((a + 1)))",
    code: "target-lacks-feature",
    says: /index "fi" is over an expression/,
  },
  {
    name: "versioned",
    on: "mariadb",
    ddl: "(id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING",
    code: "temporal-table",
    says: /periods or system versions/,
  },
  {
    name: "own function",
    on: "mariadb",
    ddl: "(id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20) AS (SFORMAT('{}', a)) STORED)",
    code: "definition-refused",
    says: /it says .*sformat/i,
  },
  {
    name: "other function",
    on: "mysql",
    ddl: "(id INT PRIMARY KEY, a VARCHAR(20), b INT AS (REGEXP_LIKE(a, 'x')) STORED)",
    code: "definition-refused",
    says: /it says .*regexp_like/i,
  },
  {
    name: "hashed",
    on: "mariadb",
    ddl: "(id INT PRIMARY KEY, a TEXT, UNIQUE KEY u (a) USING HASH)",
    code: "definition-refused",
    says: /it says .*key/i,
  },
];
