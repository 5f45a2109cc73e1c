/**
 * Foreign keys as SHOW CREATE TABLE says them.
 */
import assert from "node:assert/strict";
import { definitionTowards, readForeignKey } from "../../lib/schema/foreign_key.ts";
import { foreignKeyDefinitions } from "../../lib/schema/create_table.ts";
import { FerryError } from "../../lib/errors.ts";

const read = (definition: string) => readForeignKey({ name: "fk", definition }, "shop");

Deno.test("readForeignKey() tells columns, parent and rules", () => {
  const key = read(
    "CONSTRAINT `fk` FOREIGN KEY (`a`,`b`) REFERENCES `parents` (`x`, `y`) ON DELETE CASCADE ON UPDATE SET NULL",
  );
  assert.deepEqual(key.columns, ["a", "b"]);
  assert.deepEqual(key.parent, { schema: "shop", name: "parents" });
  assert.deepEqual(key.parentColumns, ["x", "y"]);
  assert.equal(key.onDelete, "cascade");
  assert.equal(key.onUpdate, "set null");
});

Deno.test("readForeignKey() takes a parent of another schema, and names that look like rules", () => {
  const key = read(
    "CONSTRAINT `ON DELETE CASCADE` FOREIGN KEY (`a) REFERENCES`) REFERENCES `o``ther`.`t.b` (`ON DELETE CASCADE`) ON UPDATE NO ACTION",
  );
  assert.deepEqual(key.columns, ["a) REFERENCES"]);
  assert.deepEqual(key.parent, { schema: "o`ther", name: "t.b" });
  assert.deepEqual(key.parentColumns, ["ON DELETE CASCADE"]);
  assert.equal(key.onDelete, "restrict");
  assert.equal(key.onUpdate, "restrict");
});

Deno.test("definitionTowards() changes the parent's name and nothing else", () => {
  const key = read("CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `p` (`p`) ON DELETE SET NULL");
  assert.equal(
    definitionTowards(key, { schema: "n`ew", name: "q" }),
    "CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `n``ew`.`q` (`p`) ON DELETE SET NULL",
  );
});

Deno.test("readForeignKey() refuses what it does not understand", () => {
  for (
    const text of [
      "CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `p` (`p`) ON DELETE SOMETHING NEW",
      "CONSTRAINT `fk` FOREIGN KEY (`a`,`b`) REFERENCES `p` (`p`)",
      "CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES p (`p`)",
      "CONSTRAINT `fk` CHECK (`a` > 0)",
    ]
  ) {
    assert.throws(
      () => read(text),
      (e) => e instanceof FerryError && e.code === "definition-unreadable",
      text,
    );
  }
});

Deno.test("foreignKeyDefinitions() finds the foreign keys among checks and indexes", () => {
  const sql = "CREATE TABLE `t` (\n  `a` int COMMENT 'CONSTRAINT `x` FOREIGN KEY',\n  KEY `k` (`a`),\n" +
    "  CONSTRAINT `c` CHECK (`a` > 0),\n  CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`)\n) ENGINE=InnoDB";
  assert.deepEqual(foreignKeyDefinitions(sql), [
    { name: "f", definition: "CONSTRAINT `f` FOREIGN KEY (`a`) REFERENCES `p` (`id`)" },
  ]);
  assert.deepEqual(foreignKeyDefinitions(""), []);
});
