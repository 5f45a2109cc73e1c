/**
 * A ferry's events as Server-Sent Events. One event is asked of the ferry when the one before it was taken by the
 * reader, so nothing piles up here; the ferry leaves out all but the latest `progress` for a slow reader.
 * @module
 */
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { getLogger } from "@logtape/logtape";
import type { Ferry } from "../lib/ferry/ferry.ts";
import { isEnded } from "../lib/ferry/ferry_state.ts";
import type { FerryEvent } from "../lib/progress/resource.ts";
import type { Drain } from "./drain.ts";

/** Milliseconds after which a client that lost the stream comes back. */
const RETRY_MS = 2000;

/** Milliseconds that a reader has to take the last event when the service goes. */
const LAST_EVENT_MS = 1000;

/** How a stream is made. */
export interface EventStreamOptions {
  /** Events with a greater id are sent. */
  readonly after: number;
  /** Tells when the service goes. */
  readonly drain: Drain;
  /** Milliseconds between comments. */
  readonly heartbeatMs: number;
}

/**
 * Answers with the events behind `after`; 204 where the ferry has ended and there is none, which keeps an EventSource
 * from coming back for ever.
 */
export async function eventStream(c: Context, ferry: Ferry, options: EventStreamOptions): Promise<Response> {
  const stop = new AbortController();
  const events = ferry.events(options.after, stop.signal)[Symbol.asyncIterator]();
  let first: IteratorResult<FerryEvent> | null = null;
  // While the service goes, an end of the events does not mean that there are none.
  if (isEnded(ferry.resource().state) && !options.drain.noWork.aborted) {
    first = await events.next();
    if (first.done) return c.body(null, 204);
  }
  if (c.req.raw.method === "HEAD") {
    stop.abort();
    return c.body(null, 200, { "content-type": "text/event-stream" });
  }
  const response = streamSSE(c, async (stream) => {
    try {
      await pump(stream, ferry, events, first, stop, options);
    } catch (error) {
      // Left to the library, the message would be sent to the client as it is.
      getLogger(["chainferry", "http"]).error("Cannot go on with the events of a ferry: {error}", {
        ferry: ferry.id,
        error,
      });
    } finally {
      stop.abort();
    }
  });
  response.headers.set("cache-control", "no-cache, no-transform");
  response.headers.set("x-accel-buffering", "no");
  return response;
}

async function pump(
  stream: SSEStreamingApi,
  ferry: Ferry,
  events: AsyncIterator<FerryEvent>,
  first: IteratorResult<FerryEvent> | null,
  stop: AbortController,
  options: EventStreamOptions,
): Promise<void> {
  let writing = 0;
  const write = async (send: () => Promise<unknown>) => {
    writing++;
    await send();
    writing--;
  };
  const heartbeat = setInterval(() => {
    // A reader that does not take what it has gets no comments on top.
    if (writing === 0) void write(() => stream.write(": \n\n"));
  }, options.heartbeatMs);
  const noStreams = options.drain.noStreams;
  let lastChance: ReturnType<typeof setTimeout> | undefined;
  const onDrain = () => {
    stop.abort();
    lastChance = setTimeout(() => stream.abort(), LAST_EVENT_MS);
  };
  // Writes to a reader that went fail in silence; this is how it is noticed.
  stream.onAbort(() => stop.abort());
  if (noStreams.aborted) onDrain();
  else noStreams.addEventListener("abort", onDrain, { once: true });
  const stopped = new Promise<null>((resolve) => {
    if (stop.signal.aborted) resolve(null);
    stop.signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  try {
    await write(() => stream.write(`retry: ${RETRY_MS}\n\n`));
    let ended = false;
    let next = first;
    while (!stream.aborted) {
      next ??= await Promise.race([events.next(), stopped]);
      if (next === null || next.done) break;
      const event: FerryEvent = next.value;
      await write(() => stream.writeSSE(messageOf(event)));
      ended = event.type === "done" || event.type === "failed" || event.type === "cancelled";
      next = null;
    }
    if (!ended && !stream.aborted) await write(() => stream.writeSSE(farewell(ferry, options.drain)));
  } finally {
    clearInterval(heartbeat);
    clearTimeout(lastChance);
    noStreams.removeEventListener("abort", onDrain);
    stop.abort();
  }
}

function messageOf(event: FerryEvent): { id: string; event: string; data: string } {
  return { id: String(event.id), event: event.type, data: JSON.stringify(event.data) };
}

/** The last event of a stream whose ferry goes on elsewhere. It has no id, so a client comes back for what it missed. */
function farewell(ferry: Ferry, drain: Drain): { event: string; data: string } {
  const data = drain.noWork.aborted
    ? { text: "The service is stopping; the ferry goes on when it is started again", code: "draining" }
    : { text: "This process let the ferry go; it goes on where it is taken up", code: "let-go" };
  return { event: "log", data: JSON.stringify({ ...data, ferry: ferry.id }) };
}
