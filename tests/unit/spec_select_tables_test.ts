import assert from "node:assert/strict";
import fc from "fast-check";
import type { TableSelection } from "../../lib/spec/ferry_spec.ts";
import { matchTable } from "../../lib/spec/select_tables.ts";
import { parseTableName, parseTablePattern } from "../../lib/spec/table_pattern.ts";

const pick = (table: string, to: string | null = null): TableSelection => ({
  table,
  where: null,
  through: null,
  to,
});

const PATTERNS: readonly (readonly [pattern: string, schema: string, name: string, fits: boolean])[] = [
  ["shop.orders", "shop", "orders", true],
  ["shop.orders", "shop", "Orders", false],
  ["shop.*", "shop", "anything", true],
  ["shop.*", "shopping", "x", false],
  ["*.tmp_*", "a", "tmp_1", true],
  ["*.tmp_*", "a", "xtmp_1", false],
  ["s*p.o*s", "shop", "orders", true],
  ["shop.a+b(c)", "shop", "a+b(c)", true],
  ["shop.a+b", "shop", "aab", false],
  ["shop.a+*", "shop", "aab", false],
  ["shop.(a*", "shop", "(ab", true],
  ["shop.*", "shop", "two\nlines", true],
  ["`a.b`.*", "a.b", "x", true],
  ["`a*`.x", "a*", "x", true],
  ["`a*`.x", "ab", "x", false],
  ["`a``b`.x", "a`b", "x", true],
];

for (const [pattern, schema, name, fits] of PATTERNS) {
  Deno.test(`pattern ${pattern} ${fits ? "fits" : "does not fit"} ${JSON.stringify([schema, name])}`, () => {
    assert.equal(matchTable([pick(pattern)], [], {}, schema, name) !== null, fits);
  });
}

for (const text of ["", "a", "a.", ".b", "a.b.c", "`a.b", "a`b.c", "``.x", "a..b", "`a`b.c"]) {
  Deno.test(`${JSON.stringify(text)} is no table pattern`, () => assert.equal(parseTablePattern(text), null));
}

Deno.test("the first selection that fits wins, and exclude wins over all", () => {
  const selections = [pick("shop.orders", "a.x"), pick("shop.*"), pick("*.orders", "b.y")];
  const match = (schema: string, name: string) => matchTable(selections, ["*.tmp_*"], {}, schema, name);
  assert.deepEqual(match("shop", "orders"), {
    target: { schema: "a", name: "x" },
    where: null,
    through: null,
  });
  assert.deepEqual(match("shop", "items"), {
    target: { schema: "shop", name: "items" },
    where: null,
    through: null,
  });
  assert.deepEqual(match("crm", "orders"), {
    target: { schema: "b", name: "y" },
    where: null,
    through: null,
  });
  assert.equal(match("shop", "tmp_1"), null);
  assert.equal(match("crm", "items"), null);
});

Deno.test("a schema is renamed unless the selection names the target; names of object fields are plain names", () => {
  const rename = { shop: "shop_new" };
  assert.deepEqual(matchTable([pick("*.*")], [], rename, "shop", "t")?.target, {
    schema: "shop_new",
    name: "t",
  });
  assert.deepEqual(matchTable([pick("*.*")], [], rename, "toString", "t")?.target, {
    schema: "toString",
    name: "t",
  });
  assert.deepEqual(matchTable([pick("shop.t", "`x.y`.z")], [], rename, "shop", "t")?.target, {
    schema: "x.y",
    name: "z",
  });
});

Deno.test("any two names in backticks are that one table", () => {
  const name = fc.string({ minLength: 1 });
  fc.assert(fc.property(name, name, (schema, table) => {
    const quote = (text: string) => `\`${text.replaceAll("`", "``")}\``;
    assert.deepEqual(parseTableName(`${quote(schema)}.${quote(table)}`), { schema, name: table });
  }));
});
