/**
 * Errors that pass: what may be tried again, told by code and number and never by text.
 * @module
 */
import { errorNumber } from "../errors.ts";

/** Errors after which the connection is gone and the statement's fate unknown. */
const LOST_CODES = new Set([
  "PROTOCOL_CONNECTION_LOST",
  "ECONNRESET",
  "ECONNREFUSED",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "EAI_AGAIN",
  "PROTOCOL_SEQUENCE_TIMEOUT",
]);
/** 1053 shutdown · 1077/1079 likewise · 1152/1184 aborted · 1158-1161 network · 1927 killed · 2006/2013 gone · 3169 killed. */
const LOST_NUMBERS = new Set([
  1053,
  1077,
  1079,
  1152,
  1158,
  1159,
  1160,
  1161,
  1184,
  1927,
  2006,
  2013,
  3169,
  4031,
]);

/** Whether the connection was lost, told by code and number and never by text. */
export function isConnectionLoss(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === "string" && LOST_CODES.has(code)) return true;
  const number = errorNumber(error);
  return number !== null && LOST_NUMBERS.has(number);
}

/** Deadlock (1213) or lock wait timeout (1205): the transaction may be begun again. */
export function isLockConflict(error: unknown): boolean {
  const number = errorNumber(error);
  return number === 1213 || number === 1205;
}
