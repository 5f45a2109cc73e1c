import assert from "node:assert/strict";
import { barLines } from "../../lib/cli/bar_lines.ts";
import { openView } from "../../lib/cli/progress_view.ts";
import type { Terminal } from "../../lib/cli/terminal.ts";
import { Screen } from "../support/screen.ts";
import { resourceOf, tableOf } from "./routes_fake_dock.ts";

const SIZE = { columns: 60, rows: 20, color: false };
const copying = resourceOf("a", { state: "copying", tables: [tableOf()] });

function look(json = false) {
  const screen = new Screen(SIZE.columns, SIZE.rows);
  const terminal: Terminal = {
    out: () => {},
    // What a terminal's driver does with a line end.
    err: (text) => screen.write(text.replaceAll("\n", "\r\n")),
    isInteractive: true,
    screen: () => SIZE,
    read: () => Promise.reject(new Error("no files here")),
  };
  return { screen, terminal, view: openView({ json, intervalSeconds: 1 }, terminal) };
}

Deno.test("what others write while bars are drawn stands whole above them, and no piece of a bar is left", () => {
  const { screen, terminal, view } = look();
  const long = "long ".repeat(20).trimEnd();
  view.above(() => terminal.err("before\n"));
  view.show(copying);
  view.above(() => terminal.err(`${long}\n`));
  view.show(copying);
  const bars = barLines(copying, SIZE);
  assert.ok(bars.length > 1);
  const lines = ["before", long.slice(0, 60).trimEnd(), long.slice(60)];
  assert.deepEqual(screen.lines, [...lines, ...bars.map((line) => line.trimEnd())]);
  view.close();
  view.above(() => terminal.err("behind\n"));
  assert.equal(screen.lines.at(-1), "behind");
  assert.ok(!screen.lines.some((line) => /[█░]/.test(line)), screen.lines.join("\n"));
});

Deno.test("with --json others write as they are: nothing is drawn", () => {
  const { screen, terminal, view } = look(true);
  view.show(copying);
  view.above(() => terminal.err("{}\n"));
  assert.deepEqual(screen.lines, ["{}"]);
});
