/**
 * What leaves a real service for who watches it: traces and log records to a collector, lines on stderr; with the ferry's
 * id, and without a password.
 */
import assert from "node:assert/strict";
import { Collector, type ExportedSpan } from "../support/collector.ts";
import { parseExposition } from "../support/exposition.ts";
import { untilTrue } from "../support/ferries.ts";
import { onEachFlavour } from "../support/flavours.ts";
import { makeOrders } from "../support/orders.ts";
import { assertNoSecret, makeSecretUser, SECRETS, withPassword } from "../support/secrets.ts";
import { Service } from "../support/service.ts";

const ROWS = 2000;

const specOf = (id: string, source: string, target: string, more: Record<string, unknown> = {}) => ({
  id,
  source,
  target,
  tables: ["shop.*"],
  cutover: { mode: "manual", fence: "lockTables", keepFence: false },
  ...more,
});

async function start(service: Service, spec: unknown): Promise<void> {
  const { status, body } = await service.ask("POST", "/v1/ferries", spec);
  assert.equal(status, 202, JSON.stringify(body));
}

interface Trace {
  root: ExportedSpan;
  phases: ExportedSpan[];
}

const byBeginning = (a: ExportedSpan, b: ExportedSpan) => a.startMs - b.startMs || a.endMs - b.endMs;

/** Each time that a ferry was in a process, in order. */
function tracesOf(collector: Collector, ferry: string): Trace[] {
  const own = collector.spans.filter((span) =>
    span.scope === "chainferry" && span.attributes["chainferry.ferry"] === ferry
  );
  const roots = own.filter((span) => span.name === "ferry").sort(byBeginning);
  const traces = roots.map((root) => ({ root, phases: phasesOf(root, own) }));
  const told = traces.reduce((sum, { phases }) => sum + phases.length + 1, 0);
  assert.equal(told, own.length, `every span belongs to one: ${JSON.stringify(own)}`);
  return traces;
}

/** The one time that a ferry was in a process. */
function traceOf(collector: Collector, ferry: string): Trace {
  const traces = tracesOf(collector, ferry);
  assert.equal(traces.length, 1, `one span for ferry "${ferry}": ${JSON.stringify(traces)}`);
  return traces[0];
}

/** The spans of a ferry's phases, in order. */
function phasesOf(root: ExportedSpan, own: ExportedSpan[]): ExportedSpan[] {
  assert.equal(root.parentSpanId, "", "it is a trace of its own, not a part of the request that began it");
  const phases = own.filter((span) => span !== root && span.traceId === root.traceId);
  for (const phase of phases) {
    assert.equal(phase.parentSpanId, root.spanId, `${phase.name} is a child of the ferry's`);
    assert(phase.startMs >= root.startMs - 1 && phase.endMs <= root.endMs + 1, `${phase.name} lies within`);
  }
  return phases.sort(byBeginning);
}

onEachFlavour("a ferry is a trace with a span for each phase, and says nothing secret", async (pair) => {
  await makeOrders(pair.source.url, ROWS);
  const source = await makeSecretUser(pair.source.url, "source");
  const target = await makeSecretUser(pair.target.url, "target");
  await using collector = new Collector();
  await using service = await Service.start({
    ...collector.env,
    FERRY_LOG: "json",
    FERRY_CALLBACK_SECRET: SECRETS.callbacks,
  });
  const throttle = { http: `http://watch:${SECRETS.http}@${collector.host}/ready` };
  await start(service, specOf("orders", source, target, { throttle }));
  await service.until("orders", ["awaitingCutover"]);
  await untilTrue("the throttle's check is asked", () => collector.asked.length > 0);
  await start(service, specOf("refused", withPassword(source, "wrong"), target, { tables: ["shop.orders"] }));
  await service.until("refused", ["failed"]);
  await start(service, specOf("left", source, target, { renameSchemas: { shop: "elsewhere" } }));
  await service.until("left", ["awaitingCutover"]);
  await service.cutOver("orders");
  const done = await service.until("orders", ["done"]);
  const scraped = parseExposition(await (await fetch(`${service.url}/metrics`)).text());
  const copied = scraped.get("chainferry_ferry_copied_rows_total")!.samples;
  assert.equal(copied.find(({ labels }) => labels.ferry === "orders")?.value, ROWS);
  assert.deepEqual(
    scraped.get("chainferry_ferry_error")!.samples.map(({ labels }) => labels),
    [{ ferry: "refused", code: "preflight-refused" }],
  );
  assert.equal(await service.term(), 0);

  const { root, phases } = traceOf(collector, "orders");
  assert.deepEqual(phases.map((phase) => phase.name), done.phases.map((phase) => phase.state));
  for (const [i, { startedAt, endedAt }] of done.phases.entries()) {
    assert(Math.abs(phases[i].startMs - Date.parse(startedAt)) < 1, phases[i].name);
    assert(Math.abs(phases[i].endMs - Date.parse(endedAt!)) < 1, phases[i].name);
  }
  assert.deepEqual(root.attributes, {
    "chainferry.ferry": "orders",
    "chainferry.end": "done",
    "chainferry.tables": 1,
    "chainferry.rows_copied": ROWS,
    "chainferry.bytes_copied": done.progress.bytesCopied,
    "chainferry.rows_compared": done.verification.rowsCompared,
    "chainferry.changes_applied": 0,
  });
  const copying = phases.find((phase) => phase.name === "copying")!;
  assert.equal(copying.attributes["chainferry.rows_copied"], ROWS);
  assert.equal(root.status.code, 0);

  const failed = traceOf(collector, "refused");
  assert.deepEqual(failed.phases.map((phase) => phase.name), ["preflight"]);
  for (const span of [failed.root, ...failed.phases]) {
    assert.deepEqual(span.status, { code: 2, message: "preflight-refused" });
    assert.equal(span.attributes["error.type"], "preflight-refused");
  }
  const left = traceOf(collector, "left");
  assert.equal(left.root.attributes["chainferry.end"], "left", "a ferry that is let go of is told too");
  assert.equal(left.phases.at(-1)!.name, "awaitingCutover");

  const lines = collector.logs.map((record) => ({ ...record, line: JSON.parse(record.body) }));
  for (const [ferry, trace] of [["orders", root], ["refused", failed.root]] as const) {
    const own = lines.filter(({ line }) => line.ferry === ferry && line.logger === "chainferry.ferry");
    assert(own.length > 0, `records carry ferry "${ferry}"`);
    const within = own.filter(({ line }) => line.state !== undefined);
    assert(within.length > 0);
    for (const record of within) assert.equal(record.traceId, trace.traceId, "and the trace's id");
  }
  const failures = lines.filter(({ severity }) => severity === "ERROR");
  assert.deepEqual(failures.map(({ line }) => [line.ferry, line.code]), [["refused", "preflight-refused"]]);

  const password = `Basic ${btoa(`watch:${SECRETS.http}`)}`;
  assert(collector.asked.every((header) => header === password), "the throttle's check has its password");
  assert.deepEqual(collector.paths, ["/v1/logs", "/v1/metrics", "/v1/traces"]);
  assertNoSecret(collector.text, "what is exported");
});

onEachFlavour("a retry and another process tell what is theirs, and nothing again", async (pair) => {
  await makeOrders(pair.source.url, ROWS);
  const source = await makeSecretUser(pair.source.url, "source");
  const target = await makeSecretUser(pair.target.url, "target");
  await using collector = new Collector();
  const spec = specOf("orders", source, target);
  {
    await using service = await Service.start(collector.env);
    await start(service, specOf("refused", withPassword(source, "wrong"), target));
    const first = await service.until("refused", ["failed"]);
    assert.equal((await service.ask("POST", "/v1/ferries/refused/retry")).status, 202);
    await untilTrue("it has failed again", async () => {
      const again = await service.until("refused", ["failed", "preflight"]);
      return again.state === "failed" && again.endedAt !== first.endedAt;
    });
    await start(service, spec);
    await service.until("orders", ["awaitingCutover"]);
    assert.equal(await service.term(), 0);
  }
  await using service = await Service.start(collector.env);
  await start(service, spec);
  await service.cutOver("orders");
  const done = await service.until("orders", ["done"]);
  assert.equal(await service.term(), 0);

  const tries = tracesOf(collector, "refused");
  assert.equal(tries.length, 2, "a retry is a trace of its own");
  for (const { root, phases } of tries) {
    assert.equal(root.attributes["chainferry.end"], "failed");
    assert.deepEqual(phases.map((phase) => phase.name), ["preflight"]);
  }
  const processes = tracesOf(collector, "orders");
  assert.deepEqual(processes.map(({ root }) => root.attributes["chainferry.end"]), ["left", "done"]);
  const told = processes.flatMap(({ phases }) => phases.map((phase) => phase.name));
  assert.deepEqual(told, done.phases.map((phase) => phase.state), "each phase once");
});

onEachFlavour("every line of a JSON log is JSON, has the ferry's id, and shows no password", async (pair) => {
  await makeOrders(pair.source.url, ROWS);
  const source = await makeSecretUser(pair.source.url, "source");
  const target = await makeSecretUser(pair.target.url, "target");
  await using service = await Service.start({
    FERRY_LOG: "json",
    FERRY_CALLBACK_SECRET: SECRETS.callbacks,
    FERRY_CONNECTION_TARGET: target,
  });
  await start(service, specOf("orders", source, "target"));
  for (const side of ["source", "target"]) {
    const urls = { source, target, [side]: withPassword(side === "source" ? source : target, "wrong") };
    await start(service, specOf(`no-${side}`, urls.source, urls.target));
    await service.until(`no-${side}`, ["failed"]);
  }
  await service.until("orders", ["awaitingCutover"]);
  assert.equal((await service.ask("PATCH", "/v1/ferries/orders", { copy: { concurrency: 2 } })).status, 200);
  await service.cutOver("orders");
  await service.until("orders", ["done"]);
  assert.equal(await service.term(), 0);
  const text = await service.errors;
  assertNoSecret(text, "the log");
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const line of lines) {
    assert(Number.isFinite(Date.parse(line["@timestamp"])), JSON.stringify(line));
    assert.match(line.level, /^(INFO|WARN|ERROR)$/);
    assert(typeof line.message === "string" && line.message !== "");
    // What is no ferry's is the service's own.
    if (!/^chainferry\.service$/.test(line.logger)) {
      assert.match(String(line.ferry), /^(orders|no-source|no-target)$/, JSON.stringify(line));
    }
  }
  const of = (ferry: string) => lines.filter((line) => line.ferry === ferry);
  const states = of("orders").map((line) => line.state).filter((state) => state !== undefined);
  assert.deepEqual(states.filter((state, i) => state !== states[i - 1]), [
    "copying",
    "catchingUp",
    "verifying",
    "awaitingCutover",
    "cuttingOver",
    "done",
  ]);
  assert(of("orders").some((line) => line.message.startsWith("Copying now takes up to 2 ranges")));
  for (const side of ["source", "target"]) {
    const errors = of(`no-${side}`).filter((line) => line.level === "ERROR");
    assert.deepEqual(errors.map((line) => line.code), ["preflight-refused"]);
    assert.match(errors[0].message, /denied/i, "it says what the server said");
  }
});

onEachFlavour("a ferry of the command line is a trace too, and its stdout stays its result", async (pair) => {
  await makeOrders(pair.source.url, ROWS);
  const source = await makeSecretUser(pair.source.url, "source");
  const target = await makeSecretUser(pair.target.url, "target");
  await using collector = new Collector();
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const cutover = { mode: "auto", fence: "lockTables", keepFence: false };
    await Deno.writeTextFile(file, JSON.stringify(specOf("orders", source, target, { cutover })));
    const main = new URL("../../main.ts", import.meta.url).pathname;
    const run = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", "--allow-env", "--allow-read", main, "run", file],
      env: { ...collector.env, NO_COLOR: "1" },
      signal: AbortSignal.timeout(60_000),
    }).output();
    const [stdout, stderr] = [run.stdout, run.stderr].map((bytes) => new TextDecoder().decode(bytes));
    assert.equal(run.code, 0, stderr);
    assert.equal(JSON.parse(stdout).state, "done");
    const { root, phases } = traceOf(collector, "orders");
    assert.equal(root.attributes["chainferry.end"], "done");
    assert.equal(phases.at(-1)!.name, "cuttingOver");
    assertNoSecret(collector.text + stdout + stderr, "what comes out");
  } finally {
    await Deno.remove(file);
  }
});
