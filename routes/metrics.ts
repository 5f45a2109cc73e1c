/**
 * The ferries' snapshots for Prometheus, read at the moment of the scrape.
 * @module
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { Dock } from "../lib/ferry/ferry.ts";
import { isEnded, STATES } from "../lib/ferry/ferry_state.ts";
import { FERRY_CHOICES, FERRY_COUNTS } from "./metrics_table.ts";

/** Ferries that have metrics of their own. Ended ones would otherwise add labels for ever. */
const FERRIES_SHOWN = 100;

/** The text of `/metrics` and its content type. */
export async function renderMetrics(
  dock: Dock,
  version: string,
): Promise<{ readonly text: string; readonly contentType: string }> {
  // Made anew for each scrape, so that a ferry that is gone leaves nothing behind.
  const registry = new Registry();
  const ferries = dock.list().map((ferry) => ferry.resource());
  // The list begins with the newest. Those under way go before: an old one must not vanish behind a hundred ended ones.
  const shown = [...ferries.filter((f) => !isEnded(f.state)), ...ferries.filter((f) => isEnded(f.state))]
    .slice(0, FERRIES_SHOWN);
  const made = (name: string, help: string, labelNames: string[]) => ({
    name: `chainferry_${name}`,
    help,
    labelNames,
    registers: [registry],
  });

  new Gauge(made("build_info", "Always 1; the version is a label", ["version"])).set({ version }, 1);
  new Gauge(made("resident_memory_bytes", "Memory of this process", [])).set(Deno.memoryUsage().rss);
  const byState = new Gauge(made("ferries", "Ferries known to this process, by state", ["state"]));
  for (const state of STATES) byState.set({ state }, ferries.filter((f) => f.state === state).length);
  for (const { name, help, read } of FERRY_COUNTS) {
    const labels = ["ferry"];
    const counts = name.endsWith("_total") ? new Counter(made(`ferry_${name}`, help, labels)) : null;
    const metric = counts ?? new Gauge(made(`ferry_${name}`, help, labels));
    for (const ferry of shown) {
      const value = read(ferry);
      if (value !== null) metric.inc({ ferry: ferry.id }, value);
    }
  }
  for (const { name, help, label, read } of FERRY_CHOICES) {
    const metric = new Gauge(made(`ferry_${name}`, help, ["ferry", label]));
    for (const ferry of shown) {
      for (const [choice, value] of Object.entries(read(ferry))) {
        metric.set({ ferry: ferry.id, [label]: choice }, value);
      }
    }
  }
  return { text: await registry.metrics(), contentType: registry.contentType };
}
