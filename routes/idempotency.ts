/**
 * `Idempotency-Key`: the same key is the same ferry. Without an id of its own a spec gets one made of the key, so the
 * state table remembers it over restarts; this memory only catches what the table cannot, a key reused with other ids.
 * @module
 */
import { FerryError } from "../lib/errors.ts";
import type { FerrySpec } from "../lib/spec/ferry_spec.ts";
import { sha256Hex, specFingerprint } from "../lib/spec/fingerprint.ts";

/** Keys that are remembered; the oldest are forgotten. */
const KEYS_KEPT = 10_000;

/** The id of a ferry that was posted with a key and without an id. */
export async function idOfKey(key: string): Promise<string> {
  return `k${(await sha256Hex(`idempotency-key:${key}`)).slice(0, 25)}`;
}

/** The error for a key that came with another spec before. */
export function keyReused(): FerryError {
  return new FerryError(
    "idempotency-key-reused",
    "Cannot start the ferry: its Idempotency-Key came with another spec before",
    { hint: "Use a new key for a new ferry" },
  );
}

/** The keys that this process has seen. */
export class KeyMemory {
  readonly #seen = new Map<string, string>();

  /** Remembers what came with a key. Throws `idempotency-key-reused` if it was something else. */
  async claim(key: string, spec: FerrySpec): Promise<void> {
    const asked = `${spec.id} ${await specFingerprint(spec)}`;
    const before = this.#seen.get(key);
    if (before !== undefined && before !== asked) throw keyReused();
    this.#seen.set(key, asked);
    if (this.#seen.size <= KEYS_KEPT) return;
    const [oldest] = this.#seen.keys();
    this.#seen.delete(oldest);
  }
}
