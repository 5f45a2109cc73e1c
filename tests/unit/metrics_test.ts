/**
 * What `/metrics` says is what Prometheus reads, is bounded, and is what the dashboard and the alerts ask for.
 * @module
 */
import assert from "node:assert/strict";
import { parse as parseYaml } from "yaml";
import { STATES } from "../../lib/ferry/ferry_state.ts";
import { READING_NAMES, THROTTLE_KINDS, throttleKind } from "../../lib/throttle/reading_names.ts";
import { renderMetrics } from "../../routes/metrics.ts";
import { type Metric, parseExposition } from "../support/exposition.ts";
import { checkExpression, checkShown } from "../support/promql.ts";
import { FakeDock, FakeFerry, tableOf } from "./routes_fake_dock.ts";

/** A ferry of which everything is known. */
function knownFerry(id: string): FakeFerry {
  const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
  const table = tableOf({
    state: "verified",
    rowsCopied: 1000,
    rowsEstimated: 1200,
    bytesCopied: 50_000,
    verified: true,
  });
  return new FakeFerry(id, "", {
    state: "failed",
    throttled: {
      reason: "SELECT v FROM ops.knob of the target is 11, above 10",
      name: "SELECT v FROM ops.knob of the target",
    },
    resumedTimes: 2,
    tables: [table, { ...table, source: "shop.b", state: "differing" }, { ...table, source: "shop.c" }],
    progress: {
      rowsCopied: 3000,
      rowsEstimated: 3600,
      bytesCopied: 150_000,
      rowsPerSecond: 70,
      changesApplied: 41,
      changesPending: 7,
      lagSeconds: 1.5,
      etaSeconds: 9,
    },
    verification: {
      state: "failed",
      rowsCompared: 2900,
      differences: [{ table: "shop.b", key: { id: "1" }, kind: "unlike" }],
    },
    cutover: { attempts: 3, writesStoppedMs: 1250, position: null, fenceKept: false },
    phases: [
      { state: "preflight", startedAt: at(0), endedAt: at(2) },
      { state: "copying", startedAt: at(2), endedAt: at(12) },
      { state: "preflight", startedAt: at(12), endedAt: at(13) },
    ],
    endedAt: at(13),
    error: { code: "rows-differ", detail: "Cannot end", hint: null, retryable: false },
    createdAt: at(0),
  });
}

async function scrape(...ferries: FakeFerry[]): Promise<Map<string, Metric>> {
  const dock = new FakeDock();
  for (const ferry of ferries) dock.ferries.set(ferry.id, ferry);
  return parseExposition((await renderMetrics(dock, "1.2.3")).text);
}

/** The one sample with these labels. */
function valueOf(metrics: Map<string, Metric>, name: string, labels: Record<string, string>): number | null {
  const found = metrics.get(`chainferry_${name}`)!.samples
    .filter((s) => Object.entries(labels).every(([label, value]) => s.labels[label] === value));
  assert(found.length < 2, `${name} ${JSON.stringify(labels)}`);
  return found[0]?.value ?? null;
}

Deno.test("each number of a ferry is told, in base units, under the name that says so", async () => {
  const metrics = await scrape(knownFerry("a"));
  const expected: [string, number, Record<string, string>?][] = [
    ["copied_rows_total", 3000],
    ["copied_bytes_total", 150_000],
    ["estimated_rows", 3600],
    ["copied_rows_per_second", 70],
    ["changes_applied_total", 41],
    ["changes_pending", 7],
    ["lag_seconds", 1.5],
    ["eta_seconds", 9],
    ["compared_rows_total", 2900],
    ["differing_rows", 1],
    ["paused", 0],
    ["resumed_total", 2],
    ["cutover_attempts_total", 3],
    ["writes_stopped_seconds", 1.25],
    ["created_timestamp_seconds", Date.UTC(2026, 0, 1) / 1000],
    ["ended_timestamp_seconds", Date.UTC(2026, 0, 1) / 1000 + 13],
    ["state", 1, { state: "failed" }],
    ["state", 0, { state: "done" }],
    ["throttled", 1, { reason: "check" }],
    ["throttled", 0, { reason: "lag" }],
    ["verification", 1, { result: "failed" }],
    ["verification", 0, { result: "passed" }],
    ["phase_seconds", 3, { state: "preflight" }],
    ["phase_seconds", 10, { state: "copying" }],
    ["tables", 2, { stand: "verified" }],
    ["tables", 1, { stand: "differing" }],
    ["tables", 0, { stand: "copying" }],
    ["error", 1, { code: "rows-differ" }],
  ];
  for (const [name, value, labels] of expected) {
    assert.equal(valueOf(metrics, `ferry_${name}`, { ferry: "a", ...labels }), value, name);
  }
  const told = new Set(expected.map(([name]) => `chainferry_ferry_${name}`));
  const more = [...metrics.keys()].filter((name) => name.startsWith("chainferry_ferry_") && !told.has(name));
  assert.deepEqual(more, [], "every metric of a ferry is among those");
});

Deno.test("what is not known has no sample, and what may come has its name already", async () => {
  const metrics = await scrape(new FakeFerry("a", ""));
  for (
    const name of [
      "ended_timestamp_seconds",
      "estimated_rows",
      "lag_seconds",
      "eta_seconds",
      "changes_pending",
      "error",
    ]
  ) {
    assert.deepEqual(metrics.get(`chainferry_ferry_${name}`)?.samples, [], name);
  }
});

Deno.test("the time in the present phase goes on", async () => {
  const startedAt = new Date(Date.now() - 5000).toISOString();
  const phases = [{ state: "copying", startedAt, endedAt: null }] as const;
  const metrics = await scrape(new FakeFerry("a", "", { state: "copying", phases }));
  const seconds = valueOf(metrics, "ferry_phase_seconds", { state: "copying" })!;
  assert(seconds >= 5 && seconds < 60, `${seconds}`);
});

Deno.test("labels are bounded: no table, host or text of a ferry is one", async () => {
  const ferries = Array.from({ length: 130 }, (_, i) => knownFerry(`f${i}`));
  const metrics = await scrape(...ferries);
  const values = new Map<string, Set<string>>();
  for (const { samples } of metrics.values()) {
    for (const { labels } of samples) {
      for (const [label, value] of Object.entries(labels)) {
        values.set(label, (values.get(label) ?? new Set()).add(value));
      }
    }
  }
  assert.deepEqual([...values.keys()].sort(), [
    "code",
    "ferry",
    "reason",
    "result",
    "stand",
    "state",
    "version",
  ]);
  assert.equal(values.get("ferry")!.size, 100);
  assert.deepEqual([...values.get("state")!].sort(), [...STATES].sort());
  assert.deepEqual([...values.get("reason")!].sort(), [...THROTTLE_KINDS].sort());
});

Deno.test("a ferry under way is told before those that have ended, however old it is", async () => {
  const old = new FakeFerry("old", "", { state: "copying" });
  const ended = Array.from({ length: 130 }, (_, i) => knownFerry(`f${i}`));
  const metrics = await scrape(old, ...ended);
  assert.equal(valueOf(metrics, "ferry_state", { ferry: "old", state: "copying" }), 1);
  assert.equal(valueOf(metrics, "ferries", { state: "failed" }), 130, "and all are counted");
});

Deno.test("a reason to wait is told by its kind, whatever numbers and names it holds", () => {
  const names: [string, string][] = [
    ["lag", READING_NAMES.lag()],
    ["replica_lag", READING_NAMES.replica_lag("db-7")],
    ["threads_running", READING_NAMES.threads_running("source")],
    ["threads_running", READING_NAMES.threads_running("target")],
    ["history_list", READING_NAMES.history_list()],
    ["http", READING_NAMES.http("ready.example:80")],
    ["check", READING_NAMES.check("Innodb_row_lock_current_waits", "source")],
    ["check", READING_NAMES.check("SELECT 'the answer of x'", "target")],
    ["rows_per_second", READING_NAMES.rows_per_second()],
    ["bytes_per_second", READING_NAMES.bytes_per_second()],
  ];
  for (const [kind, name] of names) {
    assert.equal(throttleKind(`${name} is 12, above 10`), kind);
    assert.equal(throttleKind(`${name} cannot be read: no answer`), kind);
  }
});

/** Everything that our metrics can have: a ferry of which all is known, and one in each state. */
const everything = () =>
  scrape(knownFerry("a"), ...STATES.map((state) => new FakeFerry(state, "", { state })));

const file = (name: string) => Deno.readTextFile(new URL(`../../deploy/${name}`, import.meta.url));

interface Dashboard {
  panels: { id: number; title: string; targets: { expr: string; legendFormat: string }[] }[];
  templating: { list: { type: string; query: string }[] };
}

Deno.test("the dashboard asks for metrics and labels that there are", async () => {
  const metrics = await everything();
  const { panels, templating }: Dashboard = JSON.parse(await file("grafana_dashboard.json"));
  const asked = new Set<string>();
  for (const { title, targets } of panels) {
    assert(targets.length > 0, title);
    for (const { expr, legendFormat } of targets) {
      const named = checkExpression(expr, metrics);
      for (const name of named) asked.add(name);
      checkShown(legendFormat, /\{\{\s*(\w+)\s*\}\}/g, named, metrics);
    }
  }
  assert.equal(new Set(panels.map((panel) => panel.id)).size, panels.length);
  for (const { type, query } of templating.list) if (type === "query") checkExpression(query, metrics);
  // What somebody who watches a ferry asks first.
  for (
    const name of [
      "state",
      "copied_rows_total",
      "changes_applied_total",
      "lag_seconds",
      "throttled",
      "phase_seconds",
      "writes_stopped_seconds",
      "error",
    ]
  ) assert(asked.has(`chainferry_ferry_${name}`), name);
});

interface Rules {
  groups: {
    rules: {
      alert: string;
      expr: string;
      labels: { severity: string };
      annotations: { summary: string; description: string };
    }[];
  }[];
}

Deno.test("the alerts ask for metrics and labels that there are", async () => {
  const metrics = await everything();
  const { groups }: Rules = parseYaml(await file("alerts.yaml"));
  const rules = groups.flatMap((group) => group.rules);
  assert(rules.length > 0);
  for (const { alert, expr, labels, annotations } of rules) {
    const named = checkExpression(expr, metrics);
    assert.match(alert, /^Chainferry[A-Z]\w+$/);
    assert.match(labels.severity, /^(warning|critical)$/);
    for (const text of [annotations.summary, annotations.description]) {
      checkShown(text, /\$labels\.(\w+)/g, named, metrics);
    }
  }
});

Deno.test("what the alerts are tested with are series that there are", async () => {
  const metrics = await everything();
  const { tests }: { tests: { input_series: { series: string }[] }[] } = parseYaml(
    await file("alerts_test.yaml"),
  );
  const { groups }: Rules = parseYaml(await file("alerts.yaml"));
  for (const { series } of tests.flatMap((test) => test.input_series)) {
    const words = series.replace(/ferry="\w+"/, 'ferry="$any"').replace(/version="\w+"/, 'version="$any"');
    checkExpression(words, metrics);
  }
  const text = await file("alerts_test.yaml");
  for (const { alert } of groups.flatMap((group) => group.rules)) {
    assert.match(text, new RegExp(`alertname: ${alert}\\b`), `${alert} is tested`);
  }
});
