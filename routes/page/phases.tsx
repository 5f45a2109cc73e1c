/**
 * The road of a ferry: which phases it has passed, how long each took, and where it is.
 * @module
 */
import type { FerryState } from "../../lib/ferry/ferry_state.ts";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { seconds } from "../../lib/progress/wording.ts";

const ROAD: readonly (readonly [FerryState, string])[] = [
  ["preflight", "Look"],
  ["copying", "Copy"],
  ["catchingUp", "Catch up"],
  ["verifying", "Compare"],
  ["awaitingCutover", "Wait"],
  ["cuttingOver", "Cut over"],
  ["done", "Done"],
];

/** What is said of the phase that was the last one. */
const ENDS: Readonly<Partial<Record<FerryState, string>>> = { failed: "stopped", cancelled: "cancelled" };

/** The rail. A phase that was passed several times shows the sum. */
export function Phases({ resource, now }: { readonly resource: FerryResource; readonly now: number }) {
  const took = (state: FerryState): number | null => {
    const passes = resource.phases.filter((p) => p.state === state);
    if (passes.length === 0) return null;
    return passes.reduce(
      (sum, p) => sum + ((p.endedAt === null ? now : Date.parse(p.endedAt)) - Date.parse(p.startedAt)) / 1000,
      0,
    );
  };
  const times = resource.resumedTimes;
  const end = ENDS[resource.state];
  const stopped = end === undefined ? undefined : resource.phases.at(-1)?.state;
  return (
    <section class="road" aria-label="Phases">
      <ol class="phases">
        {ROAD.map(([state, name]) => {
          const duration = took(state);
          const here = resource.state === state;
          const mood = here ? "here" : state === stopped ? "stopped" : duration === null ? "ahead" : "passed";
          return (
            <li class={mood} {...(here ? { "aria-current": "step" } : {})}>
              <span>{name}</span>
              <small>
                {mood === "stopped" ? `${end} after ` : ""}
                {duration === null || state === "done" ? "" : seconds(Math.max(0, duration))}
              </small>
            </li>
          );
        })}
      </ol>
      {times > 0 ? <p class="resumed">resumed {times === 1 ? "once" : `${times} times`}</p> : null}
    </section>
  );
}
