/**
 * Objects beside tables in a cutover: made behind the fence, after the last comparison and while nothing is replayed, since
 * triggers would run for replayed rows. What was made is dropped again wherever the cutover does not come to its end.
 * @module
 */
import { FerryError } from "../errors.ts";
import type { Session } from "../mysql/session.ts";
import { buildObjects, dropObjects } from "../objects/build_objects.ts";
import { planObject } from "../objects/rename_objects.ts";
import { objectLabel, type ObjectPlace, type PlannedObject } from "../objects/schema_object.ts";
import { loadFerriedObjects, renamesOf } from "../preflight/objects.ts";
import { collationOn } from "../schema/translate/collations.ts";
import { readReader } from "../schema/translate/read_reader.ts";
import type { Crossing } from "./crossing.ts";

/** Makes the objects that are asked for. The intent of each is recorded before it. Talk sessions. */
export async function carryObjects(
  crossing: Crossing,
  source: Session,
  target: Session,
  signal: AbortSignal,
): Promise<void> {
  const { spec, plan, logbook } = crossing.options;
  const planned = await planObjects(crossing, source);
  const reader = await readReader(target, plan.target);
  const same = (a: ObjectPlace) => (b: ObjectPlace) =>
    a.kind === b.kind && a.schema === b.schema && a.name === b.name;
  await buildObjects(target, planned, {
    server: plan.target,
    collation: (name) => plan.source.vendor === plan.target.vendor ? name : collationOn(reader, name),
    intend: async ({ kind, schema, name }) => {
      const made = crossing.memory.objects ?? [];
      const place = { kind, schema, name };
      if (!made.some(same(place))) await crossing.remember({ objects: [...made, place] });
    },
    disown: (o) =>
      crossing.remember({ objects: (crossing.memory.objects ?? []).filter((made) => !same(o)(made)) }),
    signal,
  });
  if (planned.length > 0) logbook.log(`Made on the target: ${planned.map(objectLabel).join(", ")}`);
  else logbook.log(`The source has no ${spec.objects.join(", ")} to carry over`);
}

/** Drops what an earlier cutover made, or was about to make. */
export async function dropMadeObjects(crossing: Crossing, target: Session): Promise<void> {
  const made = crossing.memory.objects ?? [];
  if (made.length === 0) return;
  await dropObjects(target, made);
  await crossing.remember({ objects: [] });
  crossing.options.logbook.log(`Dropped on the target again: ${made.map(objectLabel).join(", ")}`);
}

/** The definitions as they are now: preflight may be long ago. */
async function planObjects(crossing: Crossing, source: Session): Promise<PlannedObject[]> {
  const { spec } = crossing.options;
  const tables = crossing.tables.map((t) => ({ source: t.table, target: t.target }));
  await source.run("SET SESSION lock_wait_timeout=5");
  const loaded = await loadFerriedObjects(source, tables, (kind) => spec.objects.includes(kind));
  return loaded.map((o) => {
    const plan = planObject(o, renamesOf(spec, tables));
    if (!("reason" in plan)) return plan;
    throw new FerryError("object-not-carried", `Cannot carry over ${objectLabel(o)}: ${plan.reason}`, {
      hint: "Carry it over by hand, and leave its kind out of objects",
    });
  });
}
