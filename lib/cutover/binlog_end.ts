/**
 * Where the source's binlog ends now.
 * @module
 */
import type { BinlogPosition } from "../binlog/position.ts";
import { FerryError } from "../errors.ts";
import { binlogStatusStatement, type Server } from "../mysql/server.ts";
import type { Session } from "../mysql/session.ts";

/** End of the binlog, and the executed GTID set where the server tells it beside. */
export async function binlogEnd(
  session: Session,
  server: Server,
): Promise<BinlogPosition & { readonly gtids: string | null }> {
  const row = await session.one(binlogStatusStatement(server));
  if (row === null) {
    throw new FerryError("binlog-off", "Cannot read the source's binlog position: the binlog is off", {
      hint: "Set log_bin",
    });
  }
  const gtids = String(row.Executed_Gtid_Set ?? "").replaceAll(/\s/g, "");
  return { file: String(row.File), offset: Number(row.Position), gtids: gtids === "" ? null : gtids };
}
