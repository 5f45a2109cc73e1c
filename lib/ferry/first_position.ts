/**
 * Where in the source's binlog a ferry begins.
 * @module
 */
import { snapshotPosition } from "../copy/read_point.ts";
import { binlogEnd } from "../cutover/binlog_end.ts";
import type { Server } from "../mysql/server.ts";
import type { Session } from "../mysql/session.ts";
import type { StoredPosition } from "../state/cursor_store.ts";

/**
 * A position before which everything is visible to readers already (I1: what lies before it is never delivered). `session`
 * is a talk session on the source.
 */
export async function firstPosition(session: Session, source: Server): Promise<StoredPosition> {
  if (source.vendor === "mariadb") {
    await session.run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    await session.run("START TRANSACTION WITH CONSISTENT SNAPSHOT");
    const at = await snapshotPosition(session);
    await session.run("COMMIT");
    return { ...at, gtids: null, prepared: [], changes: 0 };
  }
  const end = await binlogEnd(session, source);
  // The file position may be past a transaction that nobody can read yet; the executed set is not. Offset 0: begin by set.
  if (source.gtids) return { file: end.file, offset: 0, gtids: end.gtids ?? "", prepared: [], changes: 0 };
  return { file: end.file, offset: end.offset, gtids: null, prepared: [], changes: 0 };
}
