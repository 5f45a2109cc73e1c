/**
 * Breadth-first search through every state of a {@linkcode World}.
 * @module
 */
import type { State, World } from "./world.ts";

/** What a search has found. */
export interface Finding {
  /** States seen. */
  readonly states: number;
  /** States at rest, at each of which the target was held against the source. */
  readonly atRest: number;
  /** The shortest way to a state at rest whose target differs, or to one that is stuck; null where there is none. */
  readonly loss: string | null;
}

/** Searches until something is wrong or everything was seen. */
export function search(world: World): Finding {
  const queue = world.starts().map(encode);
  const seen = new Set(queue);
  const parents = queue.map(() => -1);
  let atRest = 0;
  for (let index = 0; index < queue.length; index++) {
    const state = decode(queue[index]);
    if (world.isAtRest(state)) {
      atRest++;
      const [source, target] = [String(world.source(state)), String(world.target(state))];
      if (source !== target) {
        const trace = traceTo(world, queue, parents, index);
        return { states: seen.size, atRest, loss: `source (${source}), target (${target}): ${trace}` };
      }
    }
    let stuck = true;
    world.steps(state, (_label, next) => {
      stuck = false;
      const text = encode(next);
      if (seen.has(text)) return;
      seen.add(text);
      queue.push(text);
      parents.push(index);
    });
    if (stuck && !world.isAtRest(state)) {
      return { states: seen.size, atRest, loss: `stuck: ${traceTo(world, queue, parents, index)}` };
    }
  }
  return { states: seen.size, atRest, loss: null };
}

/** One byte a field: hundreds of thousands of states must fit and compare fast. */
function encode(state: State): string {
  return String.fromCharCode(...state);
}

function decode(text: string): State {
  const state: State = [];
  for (let i = 0; i < text.length; i++) state.push(text.charCodeAt(i));
  return state;
}

/** The labels of the steps from the start, found by taking each parent's steps once more. */
function traceTo(world: World, queue: string[], parents: number[], index: number): string {
  const labels: string[] = [];
  let child = index;
  for (; parents[child] >= 0; child = parents[child]) {
    let found: string | undefined;
    world.steps(decode(queue[parents[child]]), (label, next) => {
      if (encode(next) === queue[child]) found ??= label;
    });
    labels.push(found ?? "?");
  }
  labels.push(`source begins at (${world.source(decode(queue[child]))})`);
  return labels.reverse().join(" | ");
}
