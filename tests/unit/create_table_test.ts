import assert from "node:assert/strict";
import fc from "fast-check";
import { bareText, columnDefinitions, targetDefinition } from "../../lib/schema/create_table.ts";
import { FerryError } from "../../lib/errors.ts";

const TARGET = { schema: "new`shop", name: "t" };
const OPTIONS = { deferIndexes: true, keyName: "PRIMARY" };

function table(lines: string[], tail = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"): string {
  return "CREATE TABLE `t` (\n  " + lines.join(",\n  ") + "\n)" + tail;
}

Deno.test("targetDefinition() puts the secondary indexes aside, in their order", () => {
  const sql = table([
    "`id` int NOT NULL AUTO_INCREMENT",
    "`a` varchar(9) DEFAULT NULL",
    "`g` geometry NOT NULL",
    "PRIMARY KEY (`id`)",
    "UNIQUE KEY `u` (`a`)",
    "KEY `k` (`a` DESC,`id`)",
    "KEY `f` ((lower(`a`))) /*!80000 INVISIBLE */",
    "SPATIAL KEY `s` (`g`)",
    "FULLTEXT KEY `ft` (`a`) /*!50100 WITH PARSER `ngram` */ ",
    "CONSTRAINT `c` CHECK ((`a` <> _utf8mb4'),'))",
  ]);
  const { create, deferred } = targetDefinition(sql, TARGET, OPTIONS);
  assert.deepEqual(deferred, [
    { name: "u", unique: true, definition: "UNIQUE KEY `u` (`a`)" },
    { name: "k", unique: false, definition: "KEY `k` (`a` DESC,`id`)" },
    { name: "f", unique: false, definition: "KEY `f` ((lower(`a`))) /*!80000 INVISIBLE */" },
    { name: "s", unique: false, definition: "SPATIAL KEY `s` (`g`)" },
    { name: "ft", unique: false, definition: "FULLTEXT KEY `ft` (`a`) /*!50100 WITH PARSER `ngram` */" },
  ]);
  assert.equal(
    create,
    "CREATE TABLE IF NOT EXISTS `new``shop`.`t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `a` varchar(9) DEFAULT NULL,\n" +
      "  `g` geometry NOT NULL,\n  PRIMARY KEY (`id`),\n  CONSTRAINT `c` CHECK ((`a` <> _utf8mb4'),'))\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4",
  );
});

Deno.test("columnDefinitions() keeps the columns' own words, without a counter and without keys", () => {
  const columns = [
    "`id` int NOT NULL AUTO_INCREMENT COMMENT 'an AUTO_INCREMENT, ''kept'''",
    "`AUTO_INCREMENT` int DEFAULT NULL /* AUTO_INCREMENT */",
    "`my_auto_increment` int DEFAULT '1'",
    "`g` int GENERATED ALWAYS AS ((`id` + _utf8mb4'),')) STORED",
  ];
  const lines = [...columns, "PRIMARY KEY (`id`)", "KEY `k` (`g`)", "CONSTRAINT `c` CHECK ((`id` > 0))"];
  const tail = " ENGINE=InnoDB AUTO_INCREMENT=7 DEFAULT CHARSET=latin1 COLLATE=latin1_bin " +
    "COMMENT='DEFAULT CHARSET=utf8mb4'\n/*!50100 PARTITION BY HASH (`id`) */";
  assert.deepEqual(columnDefinitions(table(lines, tail)), {
    columns: [columns[0].replace("NULL AUTO_INCREMENT", "NULL "), ...columns.slice(1)],
    charset: "DEFAULT CHARSET=latin1 COLLATE=latin1_bin",
  });
  assert.equal(columnDefinitions(table(["`a` int"], " COMMENT='DEFAULT CHARSET=x'")).charset, "");
});

Deno.test("targetDefinition() is not misled by what stands in names, literals and comments", () => {
  const columns = [
    "`KEY ``x`` (``y``),` int DEFAULT NULL",
    "`a` int DEFAULT NULL COMMENT 'it''s),\\n  KEY `x` (`y`),'",
    "`b` int DEFAULT NULL COMMENT '),\n  KEY `z` (`a`)\n)'",
    "`c` enum('a'',b','\\\\',');') DEFAULT NULL",
    "`d` datetime /* mariadb-5.3 it's ), */ DEFAULT NULL",
    "`e` int GENERATED ALWAYS AS (json_extract(`j`,_utf8mb4'$.\\'a,)\\\"')) VIRTUAL /*!80023 INVISIBLE */",
    "`f` varchar(9) DEFAULT \"q),\" CHECK (`f` <> '),')",
    "PRIMARY KEY (`a`)",
  ];
  const tail =
    " ENGINE=InnoDB AUTO_INCREMENT=77 COMMENT='),\nKEY `k` (`a`)'\n/*!50100 PARTITION BY RANGE (`a`)\n" +
    "(PARTITION p0 VALUES LESS THAN (10) COMMENT = 'x),' ENGINE = InnoDB,\n PARTITION p1 VALUES LESS THAN MAXVALUE ENGINE = InnoDB) */";
  const { create, deferred } = targetDefinition(
    table([...columns, "KEY `k)``,` (`a`)"], tail),
    TARGET,
    OPTIONS,
  );
  assert.deepEqual(deferred, [{ name: "k)`,", unique: false, definition: "KEY `k)``,` (`a`)" }]);
  assert.equal(
    create,
    table(columns, tail).replace("CREATE TABLE `t`", "CREATE TABLE IF NOT EXISTS `new``shop`.`t`"),
  );
});

Deno.test("targetDefinition() keeps the key that it is copied by", () => {
  const sql = table(["`a` int NOT NULL", "UNIQUE KEY `u1` (`a`)", "UNIQUE KEY `u2` (`a`)"]);
  const { deferred } = targetDefinition(sql, TARGET, { deferIndexes: true, keyName: "u2" });
  assert.deepEqual(deferred.map((d) => d.name), ["u1"]);
});

Deno.test("targetDefinition() keeps one index for a counter that leads no key", () => {
  const columns = [
    "`a` int NOT NULL",
    "`n` int NOT NULL AUTO_INCREMENT",
    "`AUTO_INCREMENT` int COMMENT 'AUTO_INCREMENT'",
  ];
  const indexes = ["KEY `a1` (`a`)", "KEY `an` (`a`,`n`)", "KEY `n1` (`N`)", "KEY `n2` (`n`)"];
  const names = (lines: string[], keyName: string) =>
    targetDefinition(table(lines), TARGET, { deferIndexes: true, keyName }).deferred.map((d) => d.name);
  assert.deepEqual(names([...columns, "PRIMARY KEY (`a`)", ...indexes], "PRIMARY"), ["a1", "an", "n2"]);
  assert.deepEqual(names([...columns, "PRIMARY KEY (`n`)", ...indexes], "PRIMARY"), ["a1", "an", "n1", "n2"]);
  assert.deepEqual(names([...columns, "UNIQUE KEY `u` (`n`)", ...indexes], "u"), ["a1", "an", "n1", "n2"]);
  assert.deepEqual(names([...columns.toReversed(), ...indexes, "FULLTEXT KEY `f` (`n`)"], ""), [
    "a1",
    "an",
    "n2",
    "f",
  ]);
  assert.deepEqual(
    names([columns[0], columns[2], "PRIMARY KEY (`a`)", "KEY `x` (`AUTO_INCREMENT`)"], "PRIMARY"),
    ["x"],
  );
});

Deno.test("targetDefinition() keeps all where nothing is to be deferred", () => {
  const sql = table(["`a` int NOT NULL", "PRIMARY KEY (`a`)", "KEY `k` (`a`)"]);
  const { create, deferred } = targetDefinition(sql, TARGET, { ...OPTIONS, deferIndexes: false });
  assert.deepEqual(deferred, []);
  assert.ok(create.includes("KEY `k` (`a`)"));
});

Deno.test("targetDefinition() refuses a definition without an end", () => {
  assert.throws(
    () => targetDefinition("CREATE TABLE `t` (\n  `a` int COMMENT 'x)", TARGET, OPTIONS),
    (e) => e instanceof FerryError && e.code === "definition-unreadable",
  );
});

Deno.test("targetDefinition() finds the index behind any comment and any name", () => {
  const text = fc.string({
    unit: fc.constantFrom("'", '"', "`", "\\", ",", ")", "(", "\n", "/*", "*/", "KEY ", "a", "–"),
  });
  fc.assert(fc.property(text, text, text, (name, comment, option) => {
    const quoted = "`" + ("n" + name).replaceAll("`", "``") + "`";
    const literal = (s: string) =>
      "'" + s.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("'", "''") + "'";
    const column = `${quoted} int NOT NULL COMMENT ${literal(comment)}`;
    const tail = ` ENGINE=InnoDB COMMENT=${literal(option)}`;
    const index = `KEY ${quoted} (${quoted}) COMMENT ${literal(comment)}`;
    const { create, deferred } = targetDefinition(table([column, index], tail), TARGET, OPTIONS);
    assert.deepEqual(deferred, [{ name: "n" + name, unique: false, definition: index }]);
    assert.ok(create.endsWith(`(\n  ${column}\n)${tail}`));
  }));
});

Deno.test("bareText() leaves out what is quoted or commented", () => {
  assert.equal(bareText("`a` int 'it''s \\' x' /* y' */ z \"\"").replace(/ +/g, " "), " int z ");
});
