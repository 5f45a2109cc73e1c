/**
 * The one error of the ferry: a stable code, whether trying again can help, and what to do about it.
 * @module
 */

/** How a {@link FerryError} is made. */
export interface FerryErrorOptions {
  /** Whether the same work, begun again from the saved state, may succeed. Default `false`. */
  readonly retryable?: boolean;
  /** What the reader can do about it, in one sentence. */
  readonly hint?: string;
  /** What was caught. */
  readonly cause?: unknown;
}

/**
 * Every failure that the ferry explains. `code` is kebab-case and never changes its meaning; the message reads
 * action, colon, state: `Cannot copy table "shop.log": no primary or unique key`.
 */
export class FerryError extends Error {
  /** Stable, kebab-case. */
  readonly code: string;
  /** Whether the same work, begun again from the saved state, may succeed. */
  readonly retryable: boolean;
  /** What the reader can do about it; `null` where nothing is known. */
  readonly hint: string | null;

  /** Makes an error with a stable `code` and a `message` in the grammar above. */
  constructor(code: string, message: string, options: FerryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "FerryError";
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint ?? null;
  }
}

/** What a thrown thing says, without assuming that it is an `Error`. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The server's or driver's error number, or `null`. Retries are decided by it and never by a message. */
export function errorNumber(error: unknown): number | null {
  const errno = (error as { errno?: unknown } | null)?.errno;
  return typeof errno === "number" ? errno : null;
}
