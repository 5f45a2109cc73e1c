/**
 * Targets that give a TIMESTAMP a default of their own, which changes with every UPDATE: `explicit_defaults_for_timestamp`
 * is OFF on MySQL 5.7 and on MariaDB before 10.10, unless somebody has set it.
 * @module
 */
import { errorNumber } from "../errors.ts";
import type { Session } from "../mysql/session.ts";
import type { Finding } from "../progress/resource.ts";
import { bareText, takeApart } from "../schema/create_table.ts";
import { tableLabel } from "../schema/table.ts";
import { refuse } from "./finding.ts";
import type { Pair } from "./pairs.ts";

/** Lets this session make tables as their definition says. `false` where the server does not let us. */
export async function defaultsAreExplicit(session: Session): Promise<boolean> {
  const row = await session.one("SELECT @@SESSION.explicit_defaults_for_timestamp AS explicit");
  if (Number(row!.explicit) === 1) return true;
  try {
    await session.run("SET SESSION explicit_defaults_for_timestamp = ON");
    return true;
  } catch (e) {
    // 1227 no privilege · 1238 read-only there (MariaDB before 10.8.4).
    if (errorNumber(e) === 1227 || errorNumber(e) === 1238) return false;
    throw e;
  }
}

/** The columns of a `SHOW CREATE TABLE` that would get a default on such a target. */
function implicitTimestamps(createSql: string): string[] {
  return takeApart(createSql).items
    .filter((item) => item.startsWith("`"))
    .map((item) => ({ item, said: bareText(item) }))
    .filter(({ said }) => /^\s*timestamp\b.*\bNOT NULL\b/i.test(said) && !/\b(DEFAULT|AS)\b/i.test(said))
    .map(({ item }) => item.slice(0, item.indexOf("`", 1) + 1));
}

/** Refuses each table that would be made another one than on the source. */
export async function checkTimestamps(session: Session, pairs: readonly Pair[]): Promise<Finding[]> {
  const findings = judgeTimestamps(pairs);
  return findings.length === 0 || await defaultsAreExplicit(session) ? [] : findings;
}

/** What there is to say on a target that gives defaults of its own. */
export function judgeTimestamps(
  pairs: readonly Pick<Pair, "target" | "existing" | "createSql">[],
): Finding[] {
  return pairs.filter((pair) => pair.existing === null && pair.createSql !== "").flatMap((pair) => {
    const columns = implicitTimestamps(pair.createSql);
    if (columns.length === 0) return [];
    const label = tableLabel(pair.target);
    return [refuse(
      "timestamp-default",
      label,
      `Cannot make table "${label}": the target would give ${
        columns.join(", ")
      } a default that it does not have`,
      "SET GLOBAL explicit_defaults_for_timestamp = ON on the target, or the table made there beforehand",
    )];
  });
}
