/**
 * The ferry as its event stream tells it, up to its end; and the order to cut over when it is ready.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { FerryResource } from "../lib/progress/resource.ts";
import { count, seconds } from "../lib/progress/wording.ts";
import { say } from "./say.ts";
import type { Service } from "./service.ts";
import type { Writer } from "./writer.ts";

/** A ferry as its resource shows it. */
export type Resource = FerryResource;

/** Milliseconds between two lines that only tell of progress. */
const PROGRESS_EVERY_MS = 1000;

/** Milliseconds that the ferry is left waiting: changes go on being replayed meanwhile. */
const WAIT_MS = 2000;

/** Cutovers that are ordered before it is given up: each may run into its deadline. */
const TRIES = 5;

/** Shows a ferry's events until it ends. */
export async function follow(
  service: Service,
  id: string,
  writer: Writer,
  signal: AbortSignal,
): Promise<Resource> {
  const began = performance.now();
  let shown = -PROGRESS_EVERY_MS;
  let tries = 0;
  for await (const { type, data } of service.events(id, signal)) {
    const now = performance.now() - began;
    if (type === "progress" && now - shown < PROGRESS_EVERY_MS) continue;
    if (type === "progress") shown = now;
    await say(`  ${seconds(now / 1000).padStart(7)}  ${type.padEnd(8)} ${data.text}`);
    if (type === "state" && data.state === "awaitingCutover") {
      if (tries++ === TRIES) throw new Error(`the ferry did not cut over in ${TRIES} tries`);
      void order(service, id, writer, signal);
    }
  }
  return await service.get(`/v1/ferries/${id}`) as unknown as Resource;
}

async function order(service: Service, id: string, writer: Writer, signal: AbortSignal): Promise<void> {
  try {
    await sleep(WAIT_MS, undefined, { signal });
    const { committed, longestMs } = writer.report();
    await say(
      `           The application has committed ${count(committed)} transactions; ` +
        `the longest took ${count(longestMs)} ms. POST …/cutover`,
    );
    await service.post(`/v1/ferries/${id}/cutover`);
  } catch (error) {
    if (!signal.aborted) await say(`           ${(error as Error).message}`);
  }
}
