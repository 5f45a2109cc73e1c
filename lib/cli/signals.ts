/**
 * Signals: the first asks to stop, the second does not ask.
 * @module
 */

/** Exit code of each signal that stops a process: 128 and its number. */
const STOPPING = { SIGINT: 130, SIGTERM: 143 } as const;

/** Aborts at SIGINT or SIGTERM with the exit code as its reason; a second signal ends the process at once. */
export function stopOnSignals(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, code] of Object.entries(STOPPING)) {
    Deno.addSignalListener(signal as keyof typeof STOPPING, () => {
      if (controller.signal.aborted) Deno.exit(code);
      controller.abort(code);
    });
  }
  return controller.signal;
}

/** Calls `ask` at SIGUSR2 (SIGUSR1 opens Deno's debugger, to all of this machine); the result takes the listener away. */
export function onCutoverSignal(ask: () => void): () => void {
  if (Deno.build.os === "windows") return () => {};
  Deno.addSignalListener("SIGUSR2", ask);
  return () => Deno.removeSignalListener("SIGUSR2", ask);
}
