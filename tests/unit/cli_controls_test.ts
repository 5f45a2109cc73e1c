/**
 * What servers, specs and people name reaches no terminal as an order to it: nothing but our own line ends and, where
 * bars are drawn, our own movements. JSON keeps every letter.
 * @module
 */
import assert from "node:assert/strict";
import { checkSpec } from "../../lib/cli/check.ts";
import { openView } from "../../lib/cli/progress_view.ts";
import { readSpec } from "../../lib/cli/read_spec.ts";
import type { Terminal } from "../../lib/cli/terminal.ts";
import { printable } from "../../lib/printable.ts";
import type { Finding } from "../../lib/progress/resource.ts";
import { parseSpec } from "../../lib/spec/parse_spec.ts";
import { FakeDock, resourceOf, SPEC, tableOf } from "./routes_fake_dock.ts";

/** C0 with a line end, DEL, and C1, which is one letter in UTF-8 and begins an order as well. */
const EVIL = "a\x1b[2J\x07b\rc\x7fd\x9b2Je\nforged";
const TAMED = "a [2J b c d 2Je forged";

const finding: Finding = { level: "error", code: "no-key", subject: EVIL, detail: EVIL, hint: EVIL };
const trouble = { code: "x", detail: EVIL, hint: EVIL, retryable: false, findings: [finding] };
const failed = resourceOf("a", {
  state: "failed",
  throttled: { reason: EVIL, name: EVIL },
  tables: [tableOf({ source: EVIL })],
  error: trouble,
});

function terminalOf(isInteractive: boolean, spec = "") {
  const written = { out: "", err: "" };
  const terminal: Terminal = {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    isInteractive,
    screen: () => ({ columns: 500, rows: 24, color: false }),
    read: () => Promise.resolve(spec),
  };
  return { terminal, written };
}

/** Nothing but line ends is left of what a terminal obeys, and no line begins where a text of others does. */
function assertTame(text: string): void {
  assert.deepEqual(text.replaceAll("\n", "").match(/\p{Cc}/gu), null, JSON.stringify(text));
  assert.doesNotMatch(text, /^forged/m);
  assert.ok(text.includes(TAMED), JSON.stringify(text));
}

function showAll(json: boolean, isInteractive: boolean): string {
  const { terminal, written } = terminalOf(isInteractive);
  const view = openView({ json, intervalSeconds: 1 }, terminal);
  view.note({ type: "log", data: { text: EVIL } });
  view.say(EVIL);
  view.fail(trouble);
  view.show(failed);
  view.close();
  view.note({ type: "log", data: { text: EVIL } });
  return written.err;
}

Deno.test("each control character is a space, and every other letter stays", () => {
  assert.equal(printable(EVIL), TAMED);
  assert.equal(printable("\0\x1f\x7f\x80\x9f|ä 表 🚢\xa0"), "     |ä 表 🚢\xa0");
});

Deno.test("status blocks, events and errors hold no control character of others", () => {
  assertTame(showAll(false, false));
});

Deno.test("bars, and what is told above them, hold no control character of others", () => {
  const ours = new RegExp(String.raw`\r(?=\x1b)|\x1b\[(?:\d+A|2K|J|\?7[lh])`, "g");
  const shown = showAll(false, true);
  assert.ok(shown.includes("\x1b[2K"), "bars were drawn");
  assertTame(shown.replaceAll(ours, ""));
});

Deno.test("JSON lines keep every letter, escaped", () => {
  const lines = showAll(true, true).trim().split("\n").map((line) => JSON.parse(line).text);
  assert.deepEqual(lines, [EVIL, EVIL, EVIL, EVIL]);
});

Deno.test("what check finds and what a spec has wrong hold no control character of others", async () => {
  const reading = parseSpec(SPEC, new Map());
  assert("spec" in reading);
  const dock = new FakeDock();
  dock.report = { ok: false, findings: [finding] };
  const { terminal, written } = terminalOf(true);
  const stop = new AbortController().signal;
  await checkSpec(dock, reading.spec, { terminal, json: false, stop });
  assertTame(written.out);

  const strange = terminalOf(true, JSON.stringify({ ...SPEC, [EVIL]: 1 }));
  assert.equal(await readSpec("a.json", new Map(), { terminal: strange.terminal, json: false }), null);
  assertTame(strange.written.err);
});
