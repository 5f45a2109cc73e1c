/**
 * `watch`: follows a ferry on a server, over lost connections and restarts, until it ends.
 * @module
 */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { errorText, FerryError } from "../errors.ts";
import { isEnded } from "../ferry/ferry_state.ts";
import type { FerryEvent, FerryResource } from "../progress/resource.ts";
import { EXIT, exitCodeOfFerry } from "./exit_code.ts";
import type { ProgressView } from "./progress_view.ts";
import type { Terminal } from "./terminal.ts";
import { troubleOf } from "./trouble.ts";

/** What `watch` works with. */
export interface WatchOptions {
  /** Of the ferry, of its events, or of its page. */
  readonly url: string;
  /** Sent as a bearer token, if any. */
  readonly token: string | null;
  /** Shows progress. */
  readonly view: ProgressView;
  /** Takes the result. */
  readonly terminal: Terminal;
  /** Aborts when a signal came; its reason is the exit code. */
  readonly stop: AbortSignal;
  /** Milliseconds without a word from the server after which it gives up. @default {60000} */
  readonly giveUpMs?: number;
  /** Milliseconds without a word on a connection after which it counts as lost. @default {45000} */
  readonly silentMs?: number;
  /** For tests. @default the global one */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Milliseconds before coming back, until the server says otherwise. */
const RETRY_MS = 2000;
/** Milliseconds without a word before it gives up. */
const GIVE_UP_MS = 60_000;
/** Three comments of the server's, which sends one every 15 s. */
const SILENT_MS = 45_000;

/** The address of a ferry's resource, from any address that a person may have copied; `null` if it is none. */
export function ferryUrl(text: string): string | null {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  const found = /^(.*?)(?:\/v1)?\/ferries\/([^/]+)(?:\/events)?\/?$/.exec(url.pathname);
  return found ? `${url.origin}${found[1]}/v1/ferries/${found[2]}` : null;
}

/** Follows until the ferry ends. Returns the exit code. */
export async function watchFerry(options: WatchOptions): Promise<number> {
  const { view, stop } = options;
  const url = ferryUrl(options.url);
  if (url === null) {
    view.fail({
      code: "not-a-ferry",
      detail: `Cannot watch "${options.url}": it is not the address of a ferry`,
      hint: "Needed is a URL like http://127.0.0.1:8080/v1/ferries/ID",
    });
    return EXIT.usage;
  }
  const watch = new Watch(url, options);
  try {
    return await watch.follow();
  } catch (error) {
    if (stop.aborted) return Number(stop.reason);
    view.close();
    view.fail({ ...troubleOf(error), detail: `Cannot watch ${url}: ${errorText(error)}` });
    return error instanceof FerryError && !error.retryable ? EXIT.usage : EXIT.tryAgain;
  } finally {
    view.close();
  }
}

class Watch {
  #lastId = "";
  #retryMs = RETRY_MS;
  #heardAt = Date.now();
  #shownAt = -Infinity;
  /** Aborts when nothing comes on the connection any more, which never ends by itself where it is half open. */
  #lost = new AbortController();
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** Ends what is asked: {@linkcode WatchOptions.stop}, or that the connection is lost. */
  #end: AbortSignal;

  constructor(readonly url: string, readonly options: WatchOptions) {
    this.#end = options.stop;
  }

  async follow(): Promise<number> {
    const { giveUpMs = GIVE_UP_MS, stop, terminal, view } = this.options;
    let told = false;
    while (true) {
      let lost: unknown = null;
      this.#lost = new AbortController();
      this.#end = AbortSignal.any([stop, this.#lost.signal]);
      this.#wait();
      try {
        const end = await this.#readEvents() ? await this.#readEnd() : null;
        if (end !== null) {
          view.show(end);
          view.close();
          terminal.out(JSON.stringify(end, null, 2) + "\n");
          return exitCodeOfFerry(end);
        }
      } catch (error) {
        // The server answered, and coming back will not change its answer.
        if (stop.aborted || error instanceof FerryError) throw error;
        lost = error;
        if (!told) view.say(`Lost the server, coming back to it: ${errorText(error)}`);
      } finally {
        clearTimeout(this.#patience);
      }
      told = lost !== null;
      if (Date.now() - this.#heardAt >= giveUpMs) {
        throw new FerryError("server-silent", `no word for ${Math.round(giveUpMs / 1000)} s`, {
          retryable: true,
          hint: "The ferry does not end with its watcher: watch it again when the server answers",
          cause: lost,
        });
      }
      await sleep(this.#retryMs, stop);
    }
  }

  /** Waits for the next word: not past the time to give up, but for a last try as long as the pause before it. */
  #wait(): void {
    const { giveUpMs = GIVE_UP_MS, silentMs = SILENT_MS } = this.options;
    const left = this.#heardAt + giveUpMs - Date.now();
    const lost = this.#lost;
    clearTimeout(this.#patience);
    this.#patience = setTimeout(
      () => lost.abort(new Error("it has fallen silent")),
      Math.min(silentMs, Math.max(left, this.#retryMs)),
    );
  }

  #hear(): void {
    this.#heardAt = Date.now();
    this.#wait();
  }

  /** Reads one connection's events; whether one of them was the last. */
  async #readEvents(): Promise<boolean> {
    const response = await this.#get(`${this.url}/events`, {
      accept: "text/event-stream",
      ...(this.#lastId === "" ? {} : { "last-event-id": this.#lastId }),
    });
    this.#hear();
    if (response.status === 204) return true;
    let ended = false;
    const over = new AbortController();
    let showing: Promise<void> | undefined;
    const parser = createParser({
      onEvent: (message) => ended = this.#note(message) || ended,
      onRetry: (ms) => this.#retryMs = ms,
    });
    try {
      // A comment also tells that the server is there.
      for await (const chunk of (response.body ?? new Blob().stream()).pipeThrough(new TextDecoderStream())) {
        this.#hear();
        parser.feed(chunk);
        if (ended) over.abort();
        else showing ??= this.#showSnapshots(over.signal);
      }
    } finally {
      over.abort();
      await showing;
    }
    return ended;
  }

  #note(message: EventSourceMessage): boolean {
    // A message without an id does not move the place to go on from.
    if (message.id !== undefined) this.#lastId = message.id;
    const type = (message.event ?? "log") as FerryEvent["type"];
    const data = JSON.parse(message.data) as FerryEvent["data"];
    this.options.view.note({ type, data });
    return type === "done" || type === "failed" || type === "cancelled";
  }

  /**
   * Shows a snapshot at each interval until `over` aborts: views draw progress from snapshots and not from events. An
   * answer is no word on the connection of the events, which may be lost all the same. Never throws.
   */
  async #showSnapshots(over: AbortSignal): Promise<void> {
    const { view } = this.options;
    try {
      while (true) {
        await sleep(Math.max(0, this.#shownAt + view.intervalMs - performance.now()), over);
        this.#shownAt = performance.now();
        const resource = await this.#readResource(AbortSignal.any([this.#end, over]));
        if (over.aborted) return;
        view.show(resource);
      }
    } catch (error) {
      // Told, or tried again, like a lost connection.
      if (!over.aborted) this.#lost.abort(error);
    }
  }

  /** The resource, if the ferry has ended: a failed one may have been sent on its way again. */
  async #readEnd(): Promise<FerryResource | null> {
    const resource = await this.#readResource();
    return isEnded(resource.state) ? resource : null;
  }

  async #readResource(end: AbortSignal = this.#end): Promise<FerryResource> {
    const response = await this.#get(this.url, { accept: "application/json" }, end);
    return await response.json() as FerryResource;
  }

  async #get(url: string, headers: Record<string, string>, end: AbortSignal = this.#end): Promise<Response> {
    const { token, fetch: ask = fetch } = this.options;
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    const response = await ask(url, { headers: { ...headers, ...authorization }, signal: end });
    if (response.ok) {
      this.#heardAt = Date.now();
      return response;
    }
    await response.body?.cancel();
    if (response.status === 401) {
      throw new FerryError("unauthorized", "the server wants a token", {
        hint: "Set FERRY_TOKEN to the token that the server was started with",
      });
    }
    if (response.status === 404) {
      throw new FerryError("ferry-not-found", "the server knows no such ferry", {
        hint: "GET /v1/ferries lists those that it knows",
      });
    }
    const said = `the server answered ${response.status}`;
    throw response.status >= 500 || response.status === 429
      ? new Error(said)
      : new FerryError("server-refused", said);
  }
}

function sleep(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) return reject(stop.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(stop.reason);
    };
    const timer = setTimeout(() => {
      stop.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    stop.addEventListener("abort", onAbort, { once: true });
  });
}
