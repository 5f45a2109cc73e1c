/**
 * Sessions for what is done behind the fence.
 * @module
 */
import type { Fence } from "../cutover/fence.ts";
import { FerryError } from "../errors.ts";
import type { Session } from "../mysql/session.ts";
import type { Crossing } from "./crossing.ts";

/** A session that may read the source now, and one on the target; `signal` cuts them off, whatever they are busy with. */
export async function withSessions(
  crossing: Crossing,
  fence: Fence,
  signal: AbortSignal,
  work: (source: Session, target: Session) => Promise<void>,
): Promise<void> {
  const own: Session[] = [];
  const cut = () => own.forEach((session) => session.destroy());
  signal.addEventListener("abort", cut, { once: true });
  try {
    const open = async (side: "source" | "target") => {
      const session = await crossing.open(side);
      own.push(session);
      return session;
    };
    const source = fence.session ?? await open("source");
    const target = await open("target");
    signal.throwIfAborted();
    await work(source, target);
  } finally {
    signal.removeEventListener("abort", cut);
    cut();
  }
}

/** Writers were thought to be stopped. */
export function writesBehindFence(): FerryError {
  return new FerryError("writes-behind-fence", "Cannot cut over: somebody went on writing to the source", {
    hint: "Stop every writer first, or use fence lockTables",
  });
}
