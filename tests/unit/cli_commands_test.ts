import assert from "node:assert/strict";
import { type Command, parseArguments } from "../../lib/cli/arguments.ts";
import { checkSpec } from "../../lib/cli/check.ts";
import { exitCodeOfError, exitCodeOfFerry, exitCodeOfReport } from "../../lib/cli/exit_code.ts";
import { openView } from "../../lib/cli/progress_view.ts";
import { readSpec } from "../../lib/cli/read_spec.ts";
import { runFerry } from "../../lib/cli/run.ts";
import { renderStatusBlock } from "../../lib/cli/status_block.ts";
import type { Terminal } from "../../lib/cli/terminal.ts";
import { FerryError } from "../../lib/errors.ts";
import type { Finding, TableProgress } from "../../lib/progress/resource.ts";
import { parseSpec } from "../../lib/spec/parse_spec.ts";
import { FakeDock, type FakeFerry, resourceOf, SECRET, SPEC, tableOf } from "./routes_fake_dock.ts";

class FakeTerminal implements Terminal {
  stdout = "";
  stderr = "";
  readonly isInteractive = false;
  screen = () => ({ columns: 80, rows: 24, color: false });
  constructor(readonly text: string | Error = "") {}
  out(text: string): void {
    this.stdout += text;
  }
  err(text: string): void {
    this.stderr += text;
  }
  read(): Promise<string> {
    return typeof this.text === "string" ? Promise.resolve(this.text) : Promise.reject(this.text);
  }
}

const SHOW = { json: false, intervalSeconds: 5 };

const COMMANDS: readonly (readonly [line: string, command: Command])[] = [
  ["", { kind: "serve", flags: {} }],
  ["serve --port 9000 --host ::1", { kind: "serve", flags: { port: "9000", host: "::1" } }],
  ["-p 0", { kind: "serve", flags: { port: "0" } }],
  ["run a.json", { kind: "run", spec: "a.json", ...SHOW }],
  ["run - --interval 0.5 --json", { kind: "run", spec: "-", json: true, intervalSeconds: 0.5 }],
  ["check a.json --json", { kind: "check", spec: "a.json", json: true, intervalSeconds: 5 }],
  ["watch http://h/v1/ferries/a", { kind: "watch", url: "http://h/v1/ferries/a", ...SHOW }],
  ["run --help", { kind: "help" }],
  ["--version", { kind: "version" }],
];

for (const [line, command] of COMMANDS) {
  Deno.test(`"${line}" is understood`, () => {
    assert.deepEqual(parseArguments(line.split(" ").filter(Boolean), {}), command);
  });
}

const WRONG_LINES = [
  "--prot 1",
  "fly",
  "run",
  "watch",
  "run a b",
  "serve x",
  "run a --port 1",
  "check a --interval 1",
  "serve --json",
  "run a --interval never",
  "run a --interval 0",
  "--port",
];

for (const line of WRONG_LINES) {
  Deno.test(`"${line}" is wrong usage`, () => {
    assert.equal(parseArguments(line.split(" "), {}).kind, "wrong");
  });
}

Deno.test("the interval may come from the environment", () => {
  const command = parseArguments(["run", "a"], { FERRY_INTERVAL: "30" });
  assert(command.kind === "run" && command.intervalSeconds === 30);
});

const finding = (code: string, level: Finding["level"] = "error"): Finding => ({
  level,
  code,
  subject: "s",
  detail: "d",
  hint: "h",
});

const failed = (code: string, more: { retryable?: boolean; findings?: Finding[] } = {}) =>
  resourceOf("a", { state: "failed", error: { code, detail: "d", hint: null, retryable: false, ...more } });

Deno.test("each end of a ferry has the exit code of the contract", () => {
  const codes: readonly (readonly [number, ReturnType<typeof resourceOf>])[] = [
    [0, resourceOf("a", { state: "done" })],
    [1, resourceOf("a", { state: "cancelled" })],
    [1, failed("ddl-on-source")],
    [1, resourceOf("a", { state: "failed" })],
    [3, failed("verification-failed")],
    [3, failed("verification-failed", { retryable: true })],
    [4, failed("preflight-refused", { findings: [finding("no-key")] })],
    [4, failed("preflight-refused", { findings: [finding("source-unreachable"), finding("no-key")] })],
    [4, failed("preflight-refused", { retryable: true })],
    [75, failed("preflight-refused", { findings: [finding("source-unreachable"), finding("x", "info")] })],
    [75, failed("source-unreachable")],
    [75, failed("target-unreachable")],
    [75, failed("ferry-owned-elsewhere")],
    [75, failed("anything", { retryable: true })],
    [75, resourceOf("a", { state: "copying" })],
  ];
  for (const [code, resource] of codes) {
    assert.equal(exitCodeOfFerry(resource), code, JSON.stringify(resource.error));
  }
});

Deno.test("each report and each error has the exit code of the contract", () => {
  assert.equal(exitCodeOfReport({ ok: true, findings: [finding("x", "warning")] }), 0);
  assert.equal(exitCodeOfReport({ ok: false, findings: [finding("no-key")] }), 4);
  assert.equal(exitCodeOfReport({ ok: false, findings: [finding("target-unreachable")] }), 75);
  assert.equal(exitCodeOfError(new FerryError("spec-differs", "x")), 2);
  assert.equal(exitCodeOfError(new FerryError("ferry-owned-elsewhere", "x")), 75);
  assert.equal(exitCodeOfError(new FerryError("x", "x", { retryable: true })), 75);
  assert.equal(exitCodeOfError(new Error("x")), 1);
});

Deno.test("a spec that cannot be used is told on stderr with every pointer and without its password", async () => {
  const cases: readonly (readonly [string | Error, RegExp])[] = [
    [`{"source": "${SPEC.source}`, /is not JSON/],
    [
      JSON.stringify({ ...SPEC, x: 1, tables: [] }),
      /^error {3}invalid-spec: .*2 things.*\nerror {3}out-of-bounds: \/tables: Seen .*\nerror {3}unknown-field: \/x: /,
    ],
    [JSON.stringify({ ...SPEC, source: `${SPEC.source}/db#` }), /invalid-connection-url: \/source: /],
    [JSON.stringify({ ...SPEC, cutover: { fence: "hook" } }), /not implemented/],
    [new Deno.errors.NotCapable("x"), /--allow-read=spec\.json/],
    [new Deno.errors.NotFound("x"), /no such file/],
  ];
  for (const [text, told] of cases) {
    const terminal = new FakeTerminal(text);
    assert.equal(await readSpec("spec.json", new Map(), { terminal, json: false }), null);
    assert.match(terminal.stderr, told);
    assert(!terminal.stderr.includes(SECRET));
    assert.equal(terminal.stdout, "");
  }
  const terminal = new FakeTerminal(JSON.stringify({ ...SPEC, id: "a" }));
  assert.equal((await readSpec("-", new Map(), { terminal, json: false }))?.id, "a");
});

Deno.test("with --json a spec that cannot be used is one JSON line, with every fault of it and without its password", async () => {
  const cases: readonly (readonly [string | Error, string])[] = [
    [`{"source": "${SPEC.source}`, "malformed-json"],
    [JSON.stringify({ ...SPEC, source: `${SPEC.source}/db#x`, x: 1 }), "invalid-spec"],
    [JSON.stringify({ ...SPEC, cutover: { fence: "hook" } }), "fence-not-implemented"],
    [new Deno.errors.NotFound("x"), "spec-unreadable"],
  ];
  for (const [text, code] of cases) {
    const terminal = new FakeTerminal(text);
    assert.equal(await readSpec("spec.json", new Map(), { terminal, json: true }), null);
    assert.match(terminal.stderr, /^[^\n]+\n$/);
    assert(!terminal.stderr.includes(SECRET));
    const { event, text: words, detail, errors, ...rest } = JSON.parse(terminal.stderr);
    assert.deepEqual([event, words, rest.code], ["error", detail, code]);
    assert("hint" in rest);
    if (code !== "invalid-spec") continue;
    assert.deepEqual(errors.map((each: Record<string, string>) => `${each.code} ${each.pointer}`), [
      "unknown-field /x",
      "invalid-connection-url /source",
      "invalid-connection-url /source",
    ]);
    assert(errors.every((each: Record<string, string>) => /^Seen .+, needed /.test(each.detail)));
  }
});

function startRun(options: { json?: boolean; intervalSeconds?: number } = {}) {
  const dock = new FakeDock();
  const terminal = new FakeTerminal();
  const controller = new AbortController();
  const reading = parseSpec({ ...SPEC, id: "a" }, new Map());
  assert("spec" in reading);
  const view = openView({ ...SHOW, ...options }, terminal);
  let ask = () => {};
  const started = Promise.withResolvers<FakeFerry>();
  dock.onStart = (ferry) => queueMicrotask(() => started.resolve(ferry));
  const code = runFerry({
    dock,
    spec: reading.spec,
    view,
    terminal,
    stop: controller.signal,
    onCutover: (callback) => {
      ask = callback;
      return () => ask = () => {};
    },
  });
  return { dock, terminal, controller, code, started: started.promise, ask: () => ask() };
}

Deno.test("run ends with the ferry: progress on stderr, the resource as JSON on stdout, the dock closed", async () => {
  const { dock, terminal, code, started } = startRun({ intervalSeconds: 0.01 });
  const ferry = await started;
  ferry.go("copying");
  await new Promise((resolve) => setTimeout(resolve, 40));
  ferry.go("done");
  assert.equal(await code, 0);
  assert.equal(JSON.parse(terminal.stdout).state, "done");
  assert.match(
    terminal.stderr,
    /^Now preflight\nNow copying\nferry a: Copying 0 tables .*\n {2}state {3}copying/,
  );
  assert.match(terminal.stderr, /Now done\nferry a: Done: 0 tables/);
  assert(dock.closed);
  assert(!(terminal.stdout + terminal.stderr).includes(SECRET));
});

Deno.test("run tells the last event also where it comes after the end", async () => {
  const { dock, terminal, code } = startRun();
  dock.onStart = (ferry) => {
    ferry.events = async function* (_after, signal) {
      await ferry.ended;
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (!signal.aborted) yield { id: 2, type: "done" as const, data: { text: "It is done" } };
    };
    ferry.go("done");
  };
  assert.equal(await code, 0);
  assert(terminal.stderr.startsWith("It is done\n"), terminal.stderr);
});

Deno.test("run as JSON writes one line an event", async () => {
  const { terminal, code, started } = startRun({ json: true });
  (await started).go("failed");
  assert.equal(await code, 1);
  const lines = terminal.stderr.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.event), ["state", "failed"]);
});

Deno.test("run that is stopped lets the ferry go and ends with the signal's number, without a result", async () => {
  for (const signal of [130, 143]) {
    const { dock, terminal, controller, code, started } = startRun();
    await started;
    controller.abort(signal);
    assert.equal(await code, signal);
    assert.equal(terminal.stdout, "");
    assert.match(terminal.stderr, /the same spec with this id goes on/);
    assert(dock.closed);
  }
});

Deno.test("run tells how to cut over by hand, and does when asked", async () => {
  const { terminal, code, started, ask } = startRun();
  const ferry = await started;
  ferry.go("awaitingCutover");
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.match(terminal.stderr, /kill -USR2 \d+/);
  ask();
  assert.deepEqual(ferry.acted, ["cutover"]);
  ferry.go("done");
  assert.equal(await code, 0);
});

Deno.test("run whose ferry cannot start says why and closes the dock", async () => {
  const dock = new FakeDock();
  dock.failure = new FerryError("spec-differs", 'Cannot start ferry "a": other spec', {
    hint: "Choose another id",
  });
  const terminal = new FakeTerminal();
  const reading = parseSpec(SPEC, new Map());
  assert("spec" in reading);
  const view = openView(SHOW, terminal);
  const stop = new AbortController().signal;
  assert.equal(await runFerry({ dock, spec: reading.spec, view, terminal, stop }), 2);
  assert.match(
    terminal.stderr,
    /^error {3}spec-differs: Cannot start ferry "a": other spec\nhint {4}Choose another id\n$/,
  );
  assert(dock.closed);
});

Deno.test("check prints every finding, as text or as JSON, and starts nothing", async () => {
  const reading = parseSpec(SPEC, new Map());
  assert("spec" in reading);
  for (const json of [false, true]) {
    const dock = new FakeDock();
    dock.report = { ok: false, findings: [finding("no-key"), finding("old-version", "warning")] };
    const terminal = new FakeTerminal();
    const stop = new AbortController().signal;
    assert.equal(await checkSpec(dock, reading.spec, { terminal, json, stop }), 4);
    if (json) assert.deepEqual(JSON.parse(terminal.stdout), dock.report);
    else assert.match(terminal.stdout, /^error .*\[no-key\]\n +h\nwarning .*\[old-version\]\n +h\nrefused/);
    assert.equal(dock.started.length, 0);
    assert(dock.closed);
  }
});

Deno.test("check that cannot look says why, as lines or as a JSON line", async () => {
  const reading = parseSpec(SPEC, new Map());
  assert("spec" in reading);
  for (const json of [false, true]) {
    const dock = new FakeDock();
    dock.failure = new FerryError("source-connection-lost", "Cannot look: it is gone", {
      retryable: true,
      hint: "Again",
    });
    const terminal = new FakeTerminal();
    const stop = new AbortController().signal;
    assert.equal(await checkSpec(dock, reading.spec, { terminal, json, stop }), 75);
    assert.equal(terminal.stdout, "");
    const detail = "Cannot look: it is gone";
    if (json) {
      const wanted = { event: "error", text: detail, detail, code: "source-connection-lost", hint: "Again" };
      assert.deepEqual(JSON.parse(terminal.stderr), wanted);
    } else {
      assert.equal(terminal.stderr, `error   source-connection-lost: ${detail}\nhint    Again\n`);
    }
  }
});

Deno.test("a status block shows an unknown number as unknown", () => {
  const now = new Date("2026-11-22T10:02:06Z");
  const block = renderStatusBlock(resourceOf("a", { state: "copying" }), now);
  assert.match(block, /^ferry a: Copying 0 tables from src\.example:3307 to dst\.example: measuring/);
  assert.match(block, /\n {2}state {3}copying {2}total 2 min\n/);
  assert.match(block, /copy {4}0 of unknown rows {2}unknown rows\/s {2}eta unknown/);
  assert.match(block, /unknown pending {2}lag unknown/);
});

Deno.test("a status block names the tables in trouble first, and one thing as one", () => {
  const table = (source: string, state: TableProgress["state"]) => tableOf({ source, state, rowsCopied: 1 });
  const difference = { table: "shop.bad", key: { id: "1" }, kind: "unlike" } as const;
  const resource = resourceOf("a", {
    state: "verifying",
    tables: [
      table("shop.done", "verified"),
      table("shop.next", "waiting"),
      ...Array.from({ length: 8 }, (_, i) => table(`shop.t${i}`, "copying")),
      table("shop.bad", "differing"),
    ],
    verification: { state: "running", rowsCompared: 1, differences: [difference] },
  });
  const block = renderStatusBlock(resource, new Date());
  assert.match(block, /\n {2}verify {2}running {2}1 row compared {2}1 differs\n/);
  assert.match(block, /\n {2}table {3}shop\.bad {2}differing {2}100 % {2}1 row\n {2}table {3}shop\.t0 /);
  assert.match(block, /\n {2}table {3}… and 1 more table\n$/);
});

Deno.test("a status block of a ferry that failed tells the code, what was seen and what to do", () => {
  const findings = [finding("no-key")];
  const error = {
    code: "preflight-refused",
    detail: "1 thing is in the way",
    hint: "See",
    retryable: false,
    findings,
  };
  const block = renderStatusBlock(resourceOf("a", { state: "failed", error }), new Date());
  assert.match(block, /\n {2}error {3}preflight-refused: 1 thing is in the way\n {2}hint {4}See\n/);
  assert.match(block, /\n {2}error {3}no-key: s: d\. h\n$/);
});

Deno.test("run as JSON writes also its own words and its errors as JSON lines", async () => {
  const { terminal, code, started, ask } = startRun({ json: true });
  const ferry = await started;
  const settle = () => new Promise((resolve) => setTimeout(resolve, 10));
  await settle();
  ask(); // nothing waits for a cutover yet
  await settle();
  ferry.go("awaitingCutover");
  await settle();
  ferry.go("done");
  assert.equal(await code, 0);
  const lines = terminal.stderr.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.event), ["state", "error", "state", "note", "done"]);
  assert.equal(lines[1].code, "action-not-allowed");
  assert.match(lines[3].text, /kill -USR2/);
});
