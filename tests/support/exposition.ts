/**
 * Prometheus' text format, read strictly: what a lenient scraper would let pass fails here.
 * @module
 */
import assert from "node:assert/strict";

/** One line with a value. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** One metric. */
export interface Metric {
  type: string;
  help: string;
  samples: Sample[];
}

const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;

/** Every metric by its name. Fails where the text or a name is not as Prometheus wants it. */
export function parseExposition(text: string): Map<string, Metric> {
  assert(text.endsWith("\n"), "the last line has an end");
  const metrics = new Map<string, Metric>();
  let name = "";
  for (const line of text.slice(0, -1).split("\n")) {
    if (line === "") continue;
    const help = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge)$/.exec(line);
    if (help) {
      name = help[1];
      assert(!metrics.has(name), `${name} comes once, in one piece`);
      metrics.set(name, { type: "", help: help[2], samples: [] });
    } else if (type) {
      const metric = metrics.get(name);
      assert(metric && type[1] === name && metric.type === "", `TYPE follows HELP: ${line}`);
      metric.type = type[2];
    } else {
      assert(!line.startsWith("#"), `Unknown: ${line}`);
      const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
      assert(sample, `Unknown: ${line}`);
      const metric = metrics.get(sample[1]);
      assert(metric && metric.type !== "" && sample[1] === name, `HELP and TYPE come before: ${line}`);
      const labels = readLabels(sample[2] ?? "", line);
      const value = Number(sample[3]);
      assert(Number.isFinite(value), line);
      const known = metric.samples.some((s) => JSON.stringify(s.labels) === JSON.stringify(labels));
      assert(!known, `comes twice: ${line}`);
      metric.samples.push({ labels, value });
    }
  }
  for (const [name, metric] of metrics) checkName(name, metric);
  return metrics;
}

function readLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const label = LABEL.exec(text);
    assert(label, `Labels are not as they must be: ${line}`);
    assert(!(label[1] in labels) && !/^(__|le$|quantile$|job$|instance$)/.test(label[1]), line);
    labels[label[1]] = label[2].replace(/\\(.)/g, (_, c) => c === "n" ? "\n" : c);
  }
  return labels;
}

/** What `promtool check metrics` looks at, and some more. */
function checkName(name: string, { type, help }: Metric): void {
  assert(type !== "", `${name} has a type`);
  assert(/^[A-Z0-9].*[^.\s]$/.test(help), `${name}: ${help}`);
  assert.match(name, /^chainferry_[a-z]+(_[a-z]+)*$/);
  assert.equal(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
  // Base units, written out, at the end.
  assert.doesNotMatch(
    name,
    /_(ms|milliseconds|minutes|hours|kb|mb|kilobytes|megabytes|percent|count|sum|bucket|gauge|counter)(_|$)/,
  );
  assert.doesNotMatch(name, /_(seconds|bytes)_(?!total$)/, name);
}
