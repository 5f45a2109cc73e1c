import assert from "node:assert/strict";
import fc from "fast-check";
import { FerryError } from "../../lib/errors.ts";
import type { FerrySpec } from "../../lib/spec/ferry_spec.ts";
import { maskSpec, readStoredSpec, specFingerprint, storedSpec } from "../../lib/spec/fingerprint.ts";
import { parseChange, parseSpec, refuseUnbuiltFence } from "../../lib/spec/parse_spec.ts";
import type { SpecFault } from "../../lib/spec/spec_fault.ts";

const NONE = new Map<string, string>();
const NAMED = new Map([["shop-eu", "mysql://u:pw@eu:3310"], ["shop-us", "mysql://u:pw@us"]]);
const LEAST = { source: "mysql://u:pw@a", target: "mysql://u:pw@b", tables: ["shop.*"] };

function specOf(input: unknown, connections: ReadonlyMap<string, string> = NONE): FerrySpec {
  const reading = parseSpec(input, connections);
  assert("spec" in reading, JSON.stringify(reading));
  return reading.spec;
}

function faultsOf(input: unknown, connections: ReadonlyMap<string, string> = NONE): readonly SpecFault[] {
  const reading = parseSpec(input, connections);
  assert("faults" in reading);
  return reading.faults;
}

Deno.test("a spec that says the least gets every default of the contract, and a ULID", () => {
  const { id, ...rest } = specOf(LEAST);
  assert.match(id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(rest, {
    source: LEAST.source,
    target: LEAST.target,
    sourceName: null,
    targetName: null,
    tables: [{ table: "shop.*", where: null, through: null, to: null }],
    exclude: [],
    renameSchemas: {},
    createTables: "if-missing",
    existingRows: "refuse",
    keyless: "refuse",
    objects: [],
    copy: { concurrency: 4, chunkBytes: 4194304, deferIndexes: true },
    verify: "full",
    cutover: { mode: "manual", fence: "none", timeoutSeconds: 30, keepFence: true },
    throttle: null,
    callbacks: null,
  });
});

Deno.test("a spec that says everything keeps it; half a group gets the other half's defaults", () => {
  const spec = specOf({
    ...LEAST,
    id: "orders-2026.11_a",
    tables: [{ table: "crm.orders", where: null, through: null, to: "crm_eu.orders" }],
    exclude: ["*.tmp_*"],
    renameSchemas: { shop: "shop_new" },
    createTables: "never",
    copy: { concurrency: 64, chunkBytes: 16384 },
    verify: "off",
    cutover: { mode: "auto", fence: "lockTables", timeoutSeconds: 3600 },
    throttle: null,
  });
  assert.equal(spec.id, "orders-2026.11_a");
  assert.deepEqual(spec.tables, [{ table: "crm.orders", where: null, through: null, to: "crm_eu.orders" }]);
  assert.deepEqual(spec.copy, { concurrency: 64, chunkBytes: 16384, deferIndexes: true });
  assert.deepEqual(spec.cutover, {
    mode: "auto",
    fence: "lockTables",
    timeoutSeconds: 3600,
    keepFence: true,
  });
  assert.deepEqual(spec.renameSchemas, { shop: "shop_new" });
  assert.equal(spec.throttle, null);
});

Deno.test("a spec that is wrong in many places names all of them at once", () => {
  const faults = faultsOf({
    target: "postgres://u:hunter2@b",
    tables: ["shop", { table: "a.b", wher: "x" }, { table: "a.*", to: "c.d" }],
    copy: { concurrency: 0, chunkBites: 1 },
    "a/b~c": 1,
  });
  assert.deepEqual(faults.map(({ pointer, code }) => `${pointer} ${code}`).sort(), [
    "/a~1b~0c unknown-field",
    "/copy/chunkBites unknown-field",
    "/copy/concurrency out-of-bounds",
    "/source required",
    "/tables/0 bad-pattern",
    "/tables/1/wher unknown-field",
    "/tables/2/to ambiguous-target",
    "/target invalid-connection-url",
  ]);
  assert.equal(
    faults.find((each) => each.pointer === "/copy/concurrency")?.detail,
    "Seen 0, needed an integer from 1 to 64",
  );
});

const FAULTS: readonly (readonly [field: Record<string, unknown>, pointer: string, code: string])[] = [
  [{ id: "" }, "/id", "out-of-bounds"],
  [{ id: ".a" }, "/id", "out-of-bounds"],
  [{ id: "a".repeat(65) }, "/id", "out-of-bounds"],
  [{ id: "a/b" }, "/id", "out-of-bounds"],
  [{ id: null }, "/id", "wrong-type"],
  [{ source: 7 }, "/source", "wrong-type"],
  [{ source: "" }, "/source", "unknown-connection"],
  [{ tables: [] }, "/tables", "out-of-bounds"],
  [{ tables: "shop.*" }, "/tables", "wrong-type"],
  [{ tables: [7] }, "/tables/0", "wrong-type"],
  [{ tables: ["a.b.c"] }, "/tables/0", "bad-pattern"],
  [{ tables: [{ table: "a" }] }, "/tables/0/table", "bad-pattern"],
  [{ tables: [{ to: "a.b" }] }, "/tables/0/table", "required"],
  [{ tables: [{ table: "a.b", to: "c" }] }, "/tables/0/to", "bad-table-name"],
  [{ tables: [{ table: "a.b", to: "c.*" }] }, "/tables/0/to", "bad-table-name"],
  [{ tables: [{ table: "a.b", where: " " }] }, "/tables/0/where", "out-of-bounds"],
  [{ tables: [{ table: "a.b", where: 7 }] }, "/tables/0/where", "wrong-type"],
  [{ tables: [{ table: "a.b", where: () => null, more: 1 }] }, "/tables/0/more", "unknown-field"],
  [{ tables: [{ table: "a.b" }, { table: "x.y", where: [() => null] }] }, "/tables/1/where", "wrong-type"],
  [{ exclude: ["x"] }, "/exclude/0", "bad-pattern"],
  [{ renameSchemas: { a: "" } }, "/renameSchemas/a", "out-of-bounds"],
  [{ renameSchemas: { a: "b".repeat(65) } }, "/renameSchemas/a", "out-of-bounds"],
  [{ renameSchemas: [] }, "/renameSchemas", "wrong-type"],
  [{ createTables: "always" }, "/createTables", "unknown-value"],
  [{ existingRows: "keep" }, "/existingRows", "unknown-value"],
  [{ copy: null }, "/copy", "wrong-type"],
  [{ copy: { concurrency: 65 } }, "/copy/concurrency", "out-of-bounds"],
  [{ copy: { concurrency: 1.5 } }, "/copy/concurrency", "wrong-type"],
  [{ copy: { concurrency: "4" } }, "/copy/concurrency", "wrong-type"],
  [{ copy: { chunkBytes: 16383 } }, "/copy/chunkBytes", "out-of-bounds"],
  [{ copy: { chunkBytes: 268435457 } }, "/copy/chunkBytes", "out-of-bounds"],
  [{ verify: true }, "/verify", "unknown-value"],
  [{ cutover: { mode: "now" } }, "/cutover/mode", "unknown-value"],
  [{ cutover: { fence: "wall" } }, "/cutover/fence", "unknown-value"],
  [{ cutover: { timeoutSeconds: 0 } }, "/cutover/timeoutSeconds", "out-of-bounds"],
  [{ cutover: { timeoutSeconds: 3601 } }, "/cutover/timeoutSeconds", "out-of-bounds"],
  [{ throttle: { maxLagSeconds: 0 } }, "/throttle/maxLagSeconds", "out-of-bounds"],
  [{ callbacks: { state: "https://u:p@hooks.example" } }, "/callbacks/state", "invalid"],
  [{ callbacks: { done: "https://hooks.example" } }, "/callbacks/done", "unknown-field"],
  [{ throttle: { maxLag: 5 } }, "/throttle/maxLag", "unknown-field"],
  [{ throttle: { http: "ftp://x" } }, "/throttle/http", "out-of-bounds"],
  [{ throttle: { maxLagSeconds: 5, replicas: ["nobody"] } }, "/throttle/replicas/0", "unknown-connection"],
  [{ throttle: { replicas: ["mysql://u:pw@r"] } }, "/throttle/replicas", "unbounded-replicas"],
  [
    { throttle: { maxLagSeconds: null, replicas: ["mysql://u:pw@r"] } },
    "/throttle/replicas",
    "unbounded-replicas",
  ],
  [{ throttle: { checks: [{ on: "source", max: 1 }] } }, "/throttle/checks/0", "invalid"],
  [
    { throttle: { checks: [{ on: "source", query: "DROP TABLE x", max: 1 }] } },
    "/throttle/checks/0/query",
    "out-of-bounds",
  ],
];

for (const [field, pointer, code] of FAULTS) {
  Deno.test(`${JSON.stringify(field).slice(0, 60)} is one fault: ${code} at ${pointer}`, () => {
    const faults = faultsOf({ ...LEAST, ...field });
    assert.deepEqual(
      faults.map((each) => [each.pointer, each.code]),
      [[pointer, code]],
      JSON.stringify(faults),
    );
    assert.match(faults[0].detail, /^Seen .+, needed /s);
  });
}

for (const input of [null, 7, "x", [], undefined]) {
  Deno.test(`${JSON.stringify(input)} as a whole is refused at the root`, () => {
    assert.equal(faultsOf(input)[0].pointer, "");
  });
}

Deno.test("a named connection is found however its name is written, and its URL is used", () => {
  const spec = specOf({ ...LEAST, source: "Shop_EU", target: "SHOP-us" }, NAMED);
  assert.equal(spec.source, "mysql://u:pw@eu:3310");
  assert.equal(spec.sourceName, "shop-eu");
  assert.equal(spec.targetName, "shop-us");
});

Deno.test("an unknown name is answered with the known ones, a mistyped URL is never repeated", () => {
  assert.match(
    faultsOf({ ...LEAST, source: "shop" }, NAMED)[0].detail,
    /Seen "shop", needed .*shop-eu, shop-us/,
  );
  const [fault] = faultsOf({ ...LEAST, source: "mysql:/u:hunter2@h" }, NAMED);
  assert.equal(fault.code, "invalid-connection-url");
  assert.doesNotMatch(fault.detail, /hunter2/);
});

Deno.test("a password is in no fault, wherever in a spec it is put", () => {
  const url = fc.constantFrom(
    "mysql://app:Zq9secretZq9@h:3306",
    "https://bot:Zq9secretZq9@hooks.example/x",
    "htp://bot:Zq9secretZq9@gate",
  );
  const place = fc.constantFrom(
    "source",
    "target",
    "id",
    "tables",
    "exclude",
    "copy",
    "verify",
    "cutover",
    "callbacks",
    "throttle",
    "password",
  );
  const value = url.chain((secret) =>
    fc.constantFrom<unknown>(
      secret,
      [secret],
      { url: secret },
      { concurrency: secret },
      {
        [secret.slice(12, 24)]: 1,
      },
      { state: secret, error: [secret] },
      { http: secret, replicas: [secret, { url: secret }] },
    )
  );
  fc.assert(fc.property(fc.dictionary(place, value, { minKeys: 1 }), (fields) => {
    const reading = parseSpec({ ...LEAST, ...fields, verify: "neither" }, NAMED);
    assert("faults" in reading);
    for (const fault of reading.faults) assert.doesNotMatch(fault.detail, /Zq9secretZq9/);
  }));
});

Deno.test("whatever JSON is posted is read or refused with pointers into it; nothing is thrown", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (whole, tables) => {
    for (const input of [whole, { ...LEAST, tables }]) {
      const reading = parseSpec(input, NONE);
      if ("faults" in reading) {
        assert(reading.faults.length > 0);
        for (const { pointer } of reading.faults) assert.match(pointer, /^(\/([^~]|~[01])*)*$/s);
      }
    }
  }));
});

Deno.test("fences that are not there yet are valid in form and refused by name", () => {
  for (const fence of ["readOnly", "schemaReadOnly", "hook"]) {
    const spec = specOf({ ...LEAST, cutover: { fence } });
    assert.throws(() => refuseUnbuiltFence(spec), (error) => {
      assert(error instanceof FerryError);
      return error.code === "fence-not-implemented" && error.message.includes(fence);
    });
  }
  for (const fence of ["none", "lockTables"]) refuseUnbuiltFence(specOf({ ...LEAST, cutover: { fence } }));
});

Deno.test("a throttle is filled in, its replicas are URLs, and nobody sees their passwords", () => {
  const connections = new Map([["reader", "mysql://r:hunter2@replica.example"]]);
  const given = {
    maxLagSeconds: 5,
    replicas: ["reader"],
    checks: [{ on: "target", status: "Com_insert", max: 9 }],
  };
  const reading = parseSpec({ ...LEAST, throttle: given }, connections);
  assert("spec" in reading);
  assert.deepEqual(reading.spec.throttle, {
    maxLagSeconds: 5,
    replicas: [{ url: "mysql://r:hunter2@replica.example", name: "reader" }],
    maxThreadsRunning: null,
    criticalThreadsRunning: null,
    maxHistoryListLength: null,
    maxRowsPerSecond: null,
    maxBytesPerSecond: null,
    checks: [{ on: "target", status: "Com_insert", query: null, max: 9, critical: null }],
    http: null,
  });
  assert(!storedSpec(reading.spec).includes("hunter2"));
});

Deno.test("a change may set concurrency, chunkBytes and the throttle, and nothing else", () => {
  assert.deepEqual(parseChange({ copy: { concurrency: 8 } }), { change: { copy: { concurrency: 8 } } });
  assert.deepEqual(parseChange({ throttle: null }), { change: { throttle: null } });
  const pointers = (input: unknown) => {
    const reading = parseChange(input);
    assert("faults" in reading);
    return reading.faults.map((fault) => `${fault.pointer} ${fault.code}`);
  };
  assert.deepEqual(pointers({ throttle: { replicas: ["mysql://u:pw@r"] } }), [
    "/throttle/replicas unbounded-replicas",
  ]);
  assert.deepEqual(
    pointers({ copy: { deferIndexes: true, concurrency: 0 }, throttle: { maxLag: 1 }, verify: "off" }).sort(),
    [
      "/copy/concurrency out-of-bounds",
      "/copy/deferIndexes unknown-field",
      "/throttle/maxLag unknown-field",
      "/verify unknown-field",
    ],
  );
});

Deno.test("the fingerprint forgets id, passwords and names, and knows everything else", async () => {
  const base = { ...LEAST, id: "a" };
  const print = (more: Record<string, unknown>) => specFingerprint(specOf({ ...base, ...more }, NAMED));
  const first = await print({});
  assert.match(first, /^[0-9a-f]{64}$/);
  assert.equal(await print({ id: "b" }), first);
  assert.equal(await print({ source: "mysql://u:rotated@a:3306/?ssl-mode=required" }), first);
  assert.equal(await print({ copy: { deferIndexes: true, concurrency: 4 } }), first);
  assert.equal(await print({ throttle: { maxLagSeconds: 5 } }), first);
  assert.equal(await print({ callbacks: { state: "https://hooks.example/x" } }), first);
  assert.equal(await print({ source: "shop_us" }), await print({ source: "mysql://u:x@us" }));
  const others = [
    { source: "mysql://other:pw@a" },
    { source: "mysql://u:pw@a:3307" },
    { target: "mysql://u:pw@c" },
    { tables: ["shop.x"] },
    { tables: ["shop.*", "crm.*"] },
    { exclude: ["a.b"] },
    { renameSchemas: { a: "b" } },
    { createTables: "never" },
    { copy: { concurrency: 5 } },
    { verify: "off" },
    { cutover: { mode: "auto" } },
  ];
  const prints = new Set([first, ...await Promise.all(others.map(print))]);
  assert.equal(prints.size, others.length + 1);
});

Deno.test("a where is a text, or from TypeScript a function, and both are kept as they are", () => {
  const where = (table: { name: string }) => table.name === "a" ? "id = 1" : false;
  const spec = specOf({
    ...LEAST,
    tables: ["x.y", { table: "shop.*", where, to: null }, { table: "a.b", where: " id = 'é' -- x " }],
  });
  assert.deepEqual(spec.tables, [
    { table: "x.y", where: null, through: null, to: null },
    { table: "shop.*", where, through: null, to: null },
    { table: "a.b", where: "id = 'é' -- x", through: null, to: null },
  ]);
});

Deno.test("every where makes another ferry, but one function is like another", async () => {
  const print = (where: unknown) => specFingerprint(specOf({ ...LEAST, tables: [{ table: "a.b", where }] }));
  const prints = await Promise.all([null, "a = 1", "a = 2", () => "a = 1"].map(print));
  assert.equal(new Set(prints).size, 4);
  assert.equal(await print(() => null), prints[3]);
  assert.notEqual(await print("function"), prints[3]);
});

Deno.test("a stored spec is read again, unless a function stood in it, which nobody else can ask", () => {
  const read = (where: unknown) =>
    readStoredSpec(storedSpec(specOf({ ...LEAST, tables: ["x.y", { table: "a.b", where }] })));
  assert.equal(read("a = 1")?.tables[1].where, "a = 1");
  assert.equal(read(null)?.tables[1].where, null);
  assert.equal(read(() => "a = 1"), null);
});

Deno.test("the order in which renames are written does not make another ferry", async () => {
  const print = (renameSchemas: Record<string, string>) =>
    specFingerprint(specOf({ ...LEAST, renameSchemas }));
  assert.equal(await print({ a: "x", b: "y" }), await print({ b: "y", a: "x" }));
});

Deno.test("a masked spec holds no password in any field", () => {
  assert.doesNotMatch(JSON.stringify(maskSpec(specOf(LEAST))), /pw/);
});
