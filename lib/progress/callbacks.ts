/**
 * Tells other programs how a ferry goes: posts its events to the URLs that its spec names. Nothing waits for it: events
 * are read from the log like any other reader does, of `progress` only the latest, and one that cannot be delivered in
 * time is left out.
 * @module
 */
import { lookup } from "node:dns/promises";
import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { aborted } from "../aborted.ts";
import { FerryError } from "../errors.ts";
import type { CallbackSettings } from "../spec/ferry_spec.ts";
import { isLinkLocal } from "./link_local.ts";
import { post } from "./post.ts";
import type { FerryEvent } from "./resource.ts";

/** Tries of one post, and milliseconds before the second; each further one waits twice as long. */
const TRIES = 5;
const FIRST_PAUSE_MS = 500;
/** Milliseconds that one try may take. */
const PATIENCE_MS = 5000;

/** What one process decides about callbacks. */
export interface CallbackPolicy {
  /** Signs the bodies; `null` leaves them unsigned. */
  readonly secret: string | null;
  /** Link-local addresses may be posted to: a cloud's metadata service is one. */
  readonly linkLocal: boolean;
}

/** The addresses of a host's name. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string }[]>;

/** Posts one ferry's events. */
export class Callbacks {
  /** What is under way, by URL. */
  readonly #posting = new Map<string, Promise<void>>();

  /** `firstPauseMs` and `resolve` for tests. */
  constructor(
    private readonly ferry: string,
    private readonly urls: CallbackSettings,
    private readonly policy: CallbackPolicy,
    private readonly firstPauseMs = FIRST_PAUSE_MS,
    private readonly resolve: Resolve = (host) => lookup(host, { all: true }),
  ) {}

  /**
   * Posts what comes, to each URL in order, until the events end or `signal` aborts. `read` gives each URL events of its
   * own: one that does not answer costs no other its posts. May be called again, for what comes after an end: a URL that
   * is still being posted to goes on with its own events. Never throws.
   */
  async follow(read: () => AsyncIterable<FerryEvent>, signal: AbortSignal): Promise<void> {
    const { state, progress, error } = this.urls;
    const urls = new Set([state, progress, error].filter((url) => url !== null));
    for (const url of urls) {
      if (this.#posting.has(url)) continue;
      this.#posting.set(url, this.#postAll(url, read(), signal).finally(() => this.#posting.delete(url)));
    }
    await Promise.all(this.#posting.values());
  }

  async #postAll(url: string, events: AsyncIterable<FerryEvent>, signal: AbortSignal): Promise<void> {
    for await (const event of events) {
      if (signal.aborted) return;
      if (!this.#wants(url, event)) continue;
      await this.#deliver(url, event, signal).catch((error) => {
        if (signal.aborted) return;
        getLogger(["chainferry", "callbacks"]).warning("Cannot post event {id} to {host}: {reason}", {
          ferry: this.ferry,
          id: event.id,
          host: URL.parse(url)?.host,
          reason: why(error),
        });
      });
    }
  }

  #wants(url: string, { type }: FerryEvent): boolean {
    const { state, progress, error } = this.urls;
    if (type === "log") return false;
    if (type === "progress") return url === progress;
    return url === state || (type === "failed" && url === error);
  }

  async #deliver(url: string, event: FerryEvent, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify({ ferry: this.ferry, event: event.id, type: event.type, ...event.data });
    for (let attempt = 1, pause = this.firstPauseMs;; attempt++, pause *= 2) {
      const status = await this.#post(url, body, signal).catch((e) => {
        if (e instanceof FerryError || attempt === TRIES || signal.aborted) throw e;
        return 0;
      });
      if (status >= 200 && status < 300) return;
      // What the receiver refuses it refuses again; 429 and what it cannot do now it may do later.
      const passing = status === 0 || status === 429 || status >= 500;
      if (!passing || attempt === TRIES) throw new Refused(`the answer is ${status}`);
      await delay(pause, undefined, { signal });
    }
  }

  async #post(url: string, body: string, signal: AbortSignal): Promise<number> {
    const late = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const to = new URL(url);
    const addresses = await this.#addresses(to.hostname.replace(/^\[|\]$/g, ""), late);
    const timestamp = String(Math.floor(Date.now() / 1000));
    const headers = {
      "content-type": "application/json",
      ...(this.policy.secret === null ? {} : {
        "chainferry-timestamp": timestamp,
        "chainferry-signature": await signature(this.policy.secret, `${timestamp}.${body}`),
      }),
    };
    return await post({ url: to, addresses, headers, body }, late);
  }

  async #addresses(host: string, late: AbortSignal): Promise<string[]> {
    // A name server that does not answer is waited for by the system, which knows no signal.
    const found = await Promise.race([this.resolve(host), aborted(late)]);
    const addresses = found.map(({ address }) => address);
    if (!this.policy.linkLocal && addresses.some(isLinkLocal)) {
      throw new FerryError("link-local", `Cannot post to ${host}: it is a link-local address`, {
        hint: "Set FERRY_CALLBACK_LINK_LOCAL=1 where that is meant",
      });
    }
    return addresses;
  }
}

/** What a receiver answers and that is none of 2xx; its message is for people. */
class Refused extends Error {}

/** Why a post failed, without its URL: path and query are as good as a password, and a message may repeat them. */
function why(error: unknown): string {
  if (error instanceof FerryError || error instanceof Refused) return error.message;
  if (!(error instanceof Error)) return "unknown";
  if (error.name === "TimeoutError") return `no answer within ${PATIENCE_MS / 1000} s`;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : error.name;
}

/** `sha256=` and the HMAC of a text, as hex. */
export async function signature(secret: string, text: string): Promise<string> {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), algorithm, false, ["sign"]);
  return `sha256=${new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(text))).toHex()}`;
}
