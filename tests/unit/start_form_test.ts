/**
 * The form that starts a ferry: what is typed becomes a spec, what is wrong stands beside its field, and no password
 * comes back.
 * @module
 */
import assert from "node:assert/strict";
import { fieldOfFinding } from "../../routes/page/start_form.ts";
import { setUp as setUpPages } from "./pages_setup.ts";
import { SECRET, SPEC } from "./routes_fake_dock.ts";

const FORM = {
  source: SPEC.source,
  target: SPEC.target,
  tables: "shop.*\ncrm.orders",
  fence: "lockTables",
};

/** The pages, and what sends the form, filled in where `fields` says nothing else. */
function setUp() {
  const pages = setUpPages();
  const send = (fields: Record<string, string>) => pages.post("/ferries", { ...FORM, ...fields });
  return { ...pages, send };
}

Deno.test("the form starts a ferry, and says beside each field what is wrong", async () => {
  const { dock, send } = setUp();
  const wrong = await send({ source: "ftp://x", id: "no good", do: "start" });
  const html = await wrong.text();
  assert.equal(wrong.status, 422);
  assert.equal([...html.matchAll(/class="fault"/g)].length, 2);
  assert.match(html, /crm\.orders/, "what was typed is still there");
  assert.equal(dock.started.length, 0);
  const started = await send({ id: "a1", do: "start" });
  assert.deepEqual([started.status, started.headers.get("location")], [303, "/ferries/a1"]);
  assert.deepEqual(dock.started[0].tables.length, 2);
  assert.equal(dock.started[0].cutover.fence, "lockTables");
  dock.report = {
    ok: false,
    findings: [{ level: "error", code: "no-key", subject: "shop.log", detail: "No key", hint: "Add one" }],
  };
  const checked = await (await send({ do: "check" })).text();
  assert.match(checked, /Not ready yet/);
  assert.match(checked, /no-key/);
  assert.equal(dock.started.length, 1);
});

Deno.test("what is typed becomes a spec, and every fault goes to its field", async () => {
  const { dock, send } = setUp();
  const more = { id: "b1", keepFence: "no", mode: "auto", timeoutSeconds: "9", verify: "off" };
  await send({ ...more, maxLagSeconds: "2.5", maxRowsPerSecond: "", do: "start" });
  const [spec] = dock.started;
  assert.deepEqual(spec.cutover, { mode: "auto", fence: "lockTables", timeoutSeconds: 9, keepFence: false });
  assert.deepEqual([spec.verify, spec.throttle?.maxLagSeconds, spec.throttle?.maxRowsPerSecond], [
    "off",
    2.5,
    null,
  ]);
  const wrong = await send({ timeoutSeconds: "x", maxLagSeconds: "-1", do: "start" });
  const html = await wrong.text();
  for (const name of ["timeoutSeconds", "maxLagSeconds"]) {
    assert.match(html, new RegExp(`id="${name}-told"><p class="fault"`));
    assert.match(html, new RegExp(`aria-describedby="${name}-hint ${name}-told" aria-invalid="true"`));
  }
  assert.match(html, /<details open="">/, "what is wrong is not folded away");
  const finding = { level: "error", detail: "Seen", hint: "Needed" } as const;
  dock.report = {
    ok: false,
    findings: [
      { ...finding, code: "target-unreachable", subject: "dst.example" },
      { ...finding, code: "no-key", subject: "shop.log" },
      { ...finding, code: "binlog-off", subject: "log_bin" },
      { ...finding, code: "lock-tables-denied", subject: "shop" },
      { ...finding, code: "nobody-knows-where", subject: "whatever" },
    ],
  };
  const checked = await (await send({ do: "check" })).text();
  assert.match(checked, /id="target-told">.*?target-unreachable/);
  assert.match(checked, /id="tables-told">.*?no-key/);
  assert.match(checked, /id="source-told">.*?binlog-off.*?id="target"/);
  assert.match(checked, /id="fence-told">.*?lock-tables-denied/);
  assert.match(checked, /aria-label="Preflight".*?nobody-knows-where.*?<form/);
});

Deno.test("no password comes back with the form, and none that is masked is tried", async () => {
  const { dock, send } = setUp();
  const field = (html: string, name: string) => ({
    value: new RegExp(`<input id="${name}"[^>]* value="([^"]*)"`).exec(html)?.[1],
    again: / type it again/.test(new RegExp(`id="${name}-told">(.*?)</div>`).exec(html)?.[1] ?? ""),
  });
  const secure = `mysql://app:${SECRET}@dst.example?ssl-mode=verify-ca&ssl-ca=/ca.pem`;
  const cases: [typed: string, value: string, again: boolean][] = [
    [SPEC.source, "mysql://app:***@src.example:3307", true],
    [secure, "mysql://app:***@dst.example?ssl-mode=verify-ca&amp;ssl-ca=/ca.pem", true],
    [` ${SPEC.source} `, "mysql://app:***@src.example:3307", true],
    ["eu", "eu", false],
    ["nobody", "nobody", false],
    [
      "mysql://app@src.example:3307?ssl-mode=required",
      "mysql://app@src.example:3307?ssl-mode=required",
      false,
    ],
    ["mysql://app@src.example:3307/shop", "mysql://app@src.example:3307/shop", false],
    ["ftp://x", "ftp://x", false],
    // What cannot be read may hold a password anywhere.
    [`mysql://app:1#${SECRET}@src.example`, "", true],
    [`mysql://app:${SECRET}`, "", true],
    [`mysql://app/${SECRET}@src.example`, "", true],
    [`mysql://app@src.example?password=${SECRET}`, "", true],
    [`app:${SECRET}@src.example`, "", true],
    [`mariadb://app:${SECRET}@src.example`, "", true],
  ];
  for (const [typed, value, again] of cases) {
    for (const name of ["source", "target"]) {
      // Another field is wrong; then nothing is, where this one can be read.
      for (const more of [{ do: "start", timeoutSeconds: "x" }, { do: "check" }]) {
        const html = await (await send({ [name]: typed, ...more })).text();
        assert(!html.includes(SECRET), `${typed} ${JSON.stringify(more)}`);
        assert.deepEqual(field(html, name), { value, again }, typed);
      }
    }
  }
  const asked = dock.checked.length;
  for (const wanted of ["start", "check"]) {
    const masked = await send({ source: "mysql://app:***@src.example:3307", do: wanted });
    assert.equal(masked.status, 422);
    const html = await masked.text();
    assert.match(html, /id="source-told"><p class="fault" role="alert">Seen \*\*\*, needed the password/);
    assert.match(html, /aria-describedby="source-hint source-told" aria-invalid="true"/);
  }
  assert.deepEqual([dock.started.length, dock.checked.length], [0, asked]);
  // A password may be what stands for one.
  await send({ source: "mysql://app:%2A%2A%2A@src.example:3307", do: "start" });
  assert.equal(dock.started.length, 1);
});

Deno.test("a form without a name that is sent twice starts one ferry, and another form another", async () => {
  const { dock, get, send } = setUp();
  const made = (html: string) => /name="madeId" value="([^"]*)"/.exec(html)![1];
  const open = async () => made(await (await get("/new")).text());
  const start = async (fields: Record<string, string>) =>
    (await send({ ...fields, do: "start" })).headers.get("location");
  const madeId = await open();
  assert.deepEqual([await start({ madeId }), await start({ madeId })], [
    `/ferries/${madeId}`,
    `/ferries/${madeId}`,
  ]);
  assert.equal(dock.list().length, 1);
  await start({ madeId: await open() });
  assert.equal(dock.list().length, 2);
  assert.equal(await start({ madeId, id: "mine" }), "/ferries/mine", "what was typed counts");
  assert.match((await start({ madeId: "../x" }))!, /^\/ferries\/[0-9A-Z]{26}$/);
  const changed = await send({ madeId, tables: "crm.*", do: "start" });
  assert.equal(changed.status, 422, "sent again after a change");
  assert.notEqual(made(await changed.text()), madeId);
});

Deno.test("a finding stands beside the server, the tables or the fence that it is about", () => {
  const cases: readonly (readonly [code: string, subject: string, field: string | null])[] = [
    ["version-unsupported", "target", "target"],
    ["source-unreachable", "source", "source"],
    ["binlog-off", "log_bin", "source"],
    ["replication-privilege", "SLAVE MONITOR", "source"],
    ["target-privilege", "_ferry", "target"],
    ["state-schema-newer", "_ferry", "target"],
    ["merge-binlog-format", "binlog_format", "target"],
    ["lock-tables-denied", "shop", "fence"],
    ["lock-tables-denied", "source", "fence"],
    ["no-key", "shop.log", "tables"],
    ["no-tables", "where", "tables"],
    ["exclude-unused", "shop.tmp_*", "exclude"],
    ["something-new", "whatever", null],
  ];
  for (const [code, subject, field] of cases) {
    const finding = { level: "error", code, subject, detail: "", hint: "" } as const;
    assert.equal(fieldOfFinding(finding), field, `${code} of ${subject}`);
  }
});
