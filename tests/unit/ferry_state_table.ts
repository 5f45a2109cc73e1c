/**
 * What the states of a ferry are held against: every pair of states and every state's actions, written out once more by
 * hand. Total by type: a new state doesn't compile until it is answered for here.
 * @module
 */
import type { FerryAction, FerryState } from "../../lib/ferry/ferry_state.ts";

/** Whether one may go from the row to the column. */
export const MOVES: Readonly<Record<FerryState, Readonly<Record<FerryState, boolean>>>> = {
  preflight: {
    preflight: false,
    copying: true,
    catchingUp: false,
    verifying: false,
    awaitingCutover: false,
    cuttingOver: false,
    done: false,
    failed: true,
    cancelled: true,
  },
  copying: {
    preflight: true,
    copying: false,
    catchingUp: true,
    verifying: false,
    awaitingCutover: false,
    cuttingOver: false,
    done: false,
    failed: true,
    cancelled: true,
  },
  catchingUp: {
    preflight: true,
    copying: false,
    catchingUp: false,
    verifying: true,
    awaitingCutover: true,
    cuttingOver: false,
    done: false,
    failed: true,
    cancelled: true,
  },
  verifying: {
    preflight: true,
    copying: false,
    catchingUp: true,
    verifying: false,
    awaitingCutover: true,
    cuttingOver: false,
    done: false,
    failed: true,
    cancelled: true,
  },
  awaitingCutover: {
    preflight: true,
    copying: false,
    catchingUp: false,
    verifying: true,
    awaitingCutover: false,
    cuttingOver: true,
    done: false,
    failed: true,
    cancelled: true,
  },
  cuttingOver: {
    preflight: true,
    copying: false,
    catchingUp: true,
    verifying: false,
    awaitingCutover: false,
    cuttingOver: false,
    done: true,
    failed: true,
    cancelled: true,
  },
  done: {
    preflight: false,
    copying: false,
    catchingUp: false,
    verifying: false,
    awaitingCutover: false,
    cuttingOver: false,
    done: false,
    failed: false,
    cancelled: false,
  },
  failed: {
    preflight: true,
    copying: false,
    catchingUp: false,
    verifying: false,
    awaitingCutover: false,
    cuttingOver: false,
    done: false,
    failed: false,
    cancelled: false,
  },
  cancelled: {
    preflight: false,
    copying: false,
    catchingUp: false,
    verifying: false,
    awaitingCutover: false,
    cuttingOver: false,
    done: false,
    failed: false,
    cancelled: false,
  },
};

/** What may be asked of a ferry, by whether it is paused. */
export interface Asked {
  readonly running: readonly FerryAction[];
  readonly paused: readonly FerryAction[];
}

/** What may be asked in each state. */
export const ASKED: Readonly<Record<FerryState, Asked>> = {
  preflight: { running: ["pause", "cancel"], paused: ["resume", "pause", "cancel"] },
  copying: { running: ["pause", "cancel"], paused: ["resume", "pause", "cancel"] },
  catchingUp: { running: ["pause", "cancel"], paused: ["resume", "pause", "cancel"] },
  verifying: { running: ["pause", "cancel"], paused: ["resume", "pause", "cancel"] },
  awaitingCutover: {
    running: ["cutover", "verify", "pause", "cancel"],
    paused: ["resume", "pause", "cancel"],
  },
  cuttingOver: { running: [], paused: [] },
  done: { running: [], paused: [] },
  failed: { running: ["retry"], paused: ["retry"] },
  cancelled: { running: [], paused: [] },
};
