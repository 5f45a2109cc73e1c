/**
 * Asks the target which words it knows.
 * @module
 */
import type { Server } from "../../mysql/server.ts";
import type { Session } from "../../mysql/session.ts";
import { errorNumber } from "../../errors.ts";
import type { Reader } from "./translation.ts";

/** What a server can read. */
export async function readReader(session: Session, server: Server): Promise<Reader> {
  const charsets = await session.query(
    "SELECT CHARACTER_SET_NAME AS name FROM information_schema.CHARACTER_SETS",
  );
  const names = (rows: readonly { name?: unknown }[]) =>
    new Set(rows.map((row) => String(row.name).toLowerCase()));
  return {
    vendor: server.vendor,
    version: server.version,
    charsets: names(charsets),
    collations: names(await readCollations(session, server)),
  };
}

async function readCollations(session: Session, server: Server) {
  if (server.vendor === "mariadb") {
    try {
      return await session.query(
        "SELECT FULL_COLLATION_NAME AS name FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY",
      );
    } catch (e) {
      if (errorNumber(e) !== 1054) throw e; // before 10.10 every name was a full one
    }
  }
  return await session.query("SELECT COLLATION_NAME AS name FROM information_schema.COLLATIONS");
}
