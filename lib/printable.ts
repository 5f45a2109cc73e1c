/**
 * Texts of others, made fit for a terminal.
 * @module
 */

/**
 * The text with a space for each control character (C0 with line ends, DEL, C1). What servers and people name may hold
 * anything, and a terminal would obey it.
 */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, " ");
}
