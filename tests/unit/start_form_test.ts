/**
 * The form that starts a ferry never gives a password back, and says what is wrong where it is wrong.
 * @module
 */
import assert from "node:assert/strict";
import { createApp } from "../../routes/app.ts";
import { fieldOfFinding } from "../../routes/page/start_form.ts";
import { FakeDock, SECRET, SPEC } from "./routes_fake_dock.ts";

function setUp() {
  const dock = new FakeDock();
  const app = createApp({ dock, settings: { token: null, connections: new Map([["eu", SPEC.source]]) } });
  const post = async (fields: Record<string, string>) =>
    await app.request("/ferries", { method: "POST", body: new URLSearchParams({ ...FORM, ...fields }) });
  return { dock, app, post };
}

const FORM = { source: "eu", target: "eu", tables: "shop.*", fence: "lockTables" };

Deno.test("no password comes back with the form, and none that is masked is tried", async () => {
  const { dock, post } = setUp();
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
        const html = await (await post({ [name]: typed, ...more })).text();
        assert(!html.includes(SECRET), `${typed} ${JSON.stringify(more)}`);
        assert.deepEqual(field(html, name), { value, again }, typed);
      }
    }
  }
  const asked = dock.checked.length;
  for (const wanted of ["start", "check"]) {
    const masked = await post({ source: "mysql://app:***@src.example:3307", do: wanted });
    assert.equal(masked.status, 422);
    const html = await masked.text();
    assert.match(html, /id="source-told"><p class="fault" role="alert">Seen \*\*\*, needed the password/);
    assert.match(html, /aria-describedby="source-hint source-told" aria-invalid="true"/);
  }
  assert.deepEqual([dock.started.length, dock.checked.length], [0, asked]);
  // A password may be what stands for one.
  await post({ source: "mysql://app:%2A%2A%2A@src.example:3307", do: "start" });
  assert.equal(dock.started.length, 1);
});

Deno.test("a form without a name that is sent twice starts one ferry, and another form another", async () => {
  const { dock, app, post } = setUp();
  const made = (html: string) => /name="madeId" value="([^"]*)"/.exec(html)![1];
  const open = async () => made(await (await app.request("/new")).text());
  const start = async (fields: Record<string, string>) =>
    (await post({ ...fields, do: "start" })).headers.get("location");
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
  const changed = await post({ madeId, tables: "crm.*", do: "start" });
  assert.equal(changed.status, 422, "sent again after a change");
  assert.notEqual(made(await changed.text()), madeId);
});

Deno.test("a finding stands beside the server or the tables that it is about", () => {
  const cases: readonly (readonly [code: string, subject: string, field: string | null])[] = [
    ["version-unsupported", "target", "target"],
    ["source-unreachable", "source", "source"],
    ["binlog-off", "log_bin", "source"],
    ["replication-privilege", "SLAVE MONITOR", "source"],
    ["target-privilege", "_ferry", "target"],
    ["state-schema-newer", "_ferry", "target"],
    ["merge-binlog-format", "binlog_format", "target"],
    ["no-key", "shop.log", "tables"],
    ["no-tables", "where", "tables"],
    ["something-new", "whatever", null],
  ];
  for (const [code, subject, field] of cases) {
    const finding = { level: "error", code, subject, detail: "", hint: "" } as const;
    assert.equal(fieldOfFinding(finding), field, `${code} of ${subject}`);
  }
});
