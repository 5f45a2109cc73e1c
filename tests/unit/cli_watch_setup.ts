/** What the tests of `watch` share: a terminal that keeps what is written, and events as a server sends them. */
import type { Terminal } from "../../lib/cli/terminal.ts";

/** A terminal on which nobody looks on, and what was written on it. */
export function fakeTerminal() {
  const said = { out: "", err: "" };
  const terminal: Terminal = {
    out: (text) => said.out += text,
    err: (text) => said.err += text,
    isInteractive: false,
    screen: () => ({ columns: 80, rows: 24, color: false }),
    read: () => Promise.reject(new Error("no files here")),
  };
  return { said, terminal };
}

/** An event of a stream. */
export const event = (id: number, type: string): string =>
  `event: ${type}\ndata: {"text":"${type} ${id}"}\nid: ${id}\n\n`;

export const settle = (ms = 30): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
