/**
 * The states of a ferry and what moves it between them. Rules only; whoever acts on them is elsewhere.
 *
 * ```
 *             ┌────────────────────────── retry ──────────────────────────┐
 *             ▼                                                           │
 *         preflight ──► copying ──► catchingUp ──► verifying ──► awaitingCutover ──► cuttingOver ──► done
 *             │            │         ▲  ▲  │           │ ▲            │      │            │
 *             │            │         │  │  │           │ └── verify ──┘      │            │
 *             │            │         │  └──┼───────────┘ (lost its proof)    │            │
 *             │            │         └─────┼──── fence released, not done ───┼────────────┘
 *             ▼            ▼               ▼                                 ▼
 *          failed ◄── any state that is not an end          cancelled ◄── any state that is not an end
 * ```
 *
 * A ferry that is taken up after a crash begins again at `preflight` and passes quickly through what is done.
 * @module
 */

/** Where a ferry is. */
export type FerryState =
  | "preflight"
  | "copying"
  | "catchingUp"
  | "verifying"
  | "awaitingCutover"
  | "cuttingOver"
  | "done"
  | "failed"
  | "cancelled";

/** What may be asked of a ferry. */
export type FerryAction = "pause" | "resume" | "cutover" | "cancel" | "verify" | "retry";

/** What a pause stops: `copy` copying and comparing, `all` replay too. */
export type Hold = "copy" | "all";

/** Every hold. */
export const HOLDS: readonly Hold[] = ["copy", "all"];

/** Every state, in the order of the road. */
export const STATES: readonly FerryState[] = [
  "preflight",
  "copying",
  "catchingUp",
  "verifying",
  "awaitingCutover",
  "cuttingOver",
  "done",
  "failed",
  "cancelled",
];

/** Every action. */
export const ACTIONS: readonly FerryAction[] = ["pause", "resume", "cutover", "cancel", "verify", "retry"];

/** The legal moves. A state that is missing on the right cannot be reached from the left. */
const NEXT: Readonly<Record<FerryState, readonly FerryState[]>> = {
  preflight: ["copying", "failed", "cancelled"],
  copying: ["catchingUp", "preflight", "failed", "cancelled"],
  catchingUp: ["verifying", "awaitingCutover", "preflight", "failed", "cancelled"],
  verifying: ["awaitingCutover", "catchingUp", "preflight", "failed", "cancelled"],
  awaitingCutover: ["cuttingOver", "verifying", "preflight", "failed", "cancelled"],
  cuttingOver: ["done", "catchingUp", "preflight", "failed", "cancelled"],
  done: [],
  failed: ["preflight"],
  cancelled: [],
};

/** Whether a ferry may go from `from` to `to`. */
export function mayMove(from: FerryState, to: FerryState): boolean {
  return NEXT[from].includes(to);
}

/** Whether nothing more happens by itself in this state. */
export function isEnded(state: FerryState): boolean {
  return state === "done" || state === "failed" || state === "cancelled";
}

/** Whether nothing is replayed. A cutover that was ordered before the pause goes to its end first: writes are stopped. */
export function holdsReplay(state: FerryState, hold: Hold | null): boolean {
  return hold === "all" && state !== "cuttingOver";
}

/**
 * What may be asked now; a ferry that is held goes on, or is held otherwise, before it does anything else. Cancelling while
 * cutting over would race with the end: the cutover's own deadline ends it. `underWay`: between two attempts nobody is
 * there to carry an order out.
 */
export function allowedActions(
  state: FerryState,
  paused: boolean,
  underWay = true,
): readonly FerryAction[] {
  switch (state) {
    case "done":
    case "cancelled":
      return [];
    case "failed":
      return ["retry"];
    case "cuttingOver":
      return [];
    case "awaitingCutover":
      if (paused) return ["resume", "pause", "cancel"];
      return underWay ? ["cutover", "verify", "pause", "cancel"] : ["pause", "cancel"];
    case "preflight":
    case "copying":
    case "catchingUp":
    case "verifying":
      return paused ? ["resume", "pause", "cancel"] : ["pause", "cancel"];
  }
}
