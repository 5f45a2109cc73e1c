/**
 * Which metrics, labels and label values an expression of Prometheus speaks of.
 * @module
 */
import assert from "node:assert/strict";
import type { Metric } from "./exposition.ts";

/** Functions and words that our expressions use. */
const WORDS = new Set(
  "absent and by clamp_max deriv ignoring increase label_values max on or rate sum time unless without".split(
    " ",
  ),
);
/** What Prometheus itself adds to each series. */
const ADDED = ["instance", "job"];

/**
 * Fails where an expression speaks of what `metrics` does not have. Returns the names it speaks of. A label may be
 * matched by a variable (`$ferry`); a word of ours has to be one that is told.
 */
export function checkExpression(expression: string, metrics: ReadonlyMap<string, Metric>): Set<string> {
  const named = new Set<string>();
  const labelsOf = (name: string) =>
    new Set(metrics.get(name)!.samples.flatMap((s) => Object.keys(s.labels)));
  const rest = expression.replace(/([a-zA-Z_:][\w:]*)?\{([^}]*)\}/g, (_, name, matchers) => {
    assert(name !== undefined && metrics.has(name), `No metric "${name}" in: ${expression}`);
    named.add(name);
    for (const matcher of matchers.split(/,\s*(?=\w+[=!])/)) {
      const parts = /^\s*(\w+)(=|!=|=~|!~)"([^"]*)"\s*$/.exec(matcher);
      assert(parts, `Cannot read "${matcher}" in: ${expression}`);
      const [, label, , value] = parts;
      assert(labelsOf(name).has(label), `${name} has no label "${label}": ${expression}`);
      if (value.startsWith("$")) continue;
      const told = metrics.get(name)!.samples.map((s) => s.labels[label]);
      for (const word of value.split("|")) {
        assert(told.includes(word), `${name} never has ${label}="${word}": ${expression}`);
      }
    }
    return " ";
  });
  const bare = rest.replace(/\[[^\]]*\]/g, " ");
  const grouping = /\b(by|without|on|ignoring|label_values)\s*\(([^()]*)\)/g;
  const groups: string[] = [];
  const words = bare.replace(grouping, (_, word, list: string) => {
    const names = list.split(",").map((each) => each.trim());
    if (word === "label_values") {
      assert(metrics.has(names[0]), `No metric "${names[0]}" in: ${expression}`);
      named.add(names.shift()!);
    }
    groups.push(...names);
    return " ";
  });
  for (const [word] of words.matchAll(/[a-zA-Z_:][\w:]*/g)) {
    if (WORDS.has(word)) continue;
    assert(metrics.has(word), `No metric "${word}" in: ${expression}`);
    named.add(word);
  }
  for (const label of groups) checkLabel(label, named, labelsOf, expression);
  assert(named.size > 0, `No metric at all in: ${expression}`);
  return named;
}

/** Fails where none of the metrics `named` has a label that a text shows. */
export function checkShown(
  text: string,
  variable: RegExp,
  named: ReadonlySet<string>,
  metrics: ReadonlyMap<string, Metric>,
): void {
  const labelsOf = (name: string) =>
    new Set(metrics.get(name)!.samples.flatMap((s) => Object.keys(s.labels)));
  for (const [, label] of text.matchAll(variable)) checkLabel(label, named, labelsOf, text);
}

function checkLabel(
  label: string,
  named: ReadonlySet<string>,
  labelsOf: (name: string) => Set<string>,
  where: string,
): void {
  const known = ADDED.includes(label) || [...named].some((name) => labelsOf(name).has(label));
  assert(known, `No metric has a label "${label}": ${where}`);
}
