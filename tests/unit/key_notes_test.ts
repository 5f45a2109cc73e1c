/**
 * What is noted of parents' keys: nothing is lost between last images, and nothing is followed before it can be read.
 */
import assert from "node:assert/strict";
import { FerriedTable } from "../../lib/copy/ferried_table.ts";
import { Dependencies } from "../../lib/replay/dependencies.ts";
import { KeyNotes } from "../../lib/replay/key_notes.ts";
import type { Column, Table } from "../../lib/schema/table.ts";

function table(index: number, name: string): FerriedTable {
  const columns = ["id", "up"].map((column, ordinal) =>
    ({ name: column, ordinal, dataType: "int", columnType: "int", charset: null, collation: null }) as Column
  );
  const made = { schema: "s", name, columns, keyName: "PRIMARY", key: [columns[0]] } as unknown as Table;
  const target = { schema: "s", name };
  const plan = { table: made, target, where: null, merge: false, targetHasUnique: false };
  return new FerriedTable(index, plan as ConstructorParameters<typeof FerriedTable>[1]);
}

const link = (child: string, parent: string) => ({
  child: `s.${child}`,
  parent: `s.${parent}`,
  columns: ["up"],
  passesOn: true,
  follows: true,
});

function family() {
  const [top, middle, leaf, chosen] = ["top", "middle", "leaf", "chosen"].map((name, i) => table(i, name));
  chosen.follow(top, "up");
  const tables = [top, middle, leaf, chosen];
  const dependencies = new Dependencies(tables, [link("middle", "top"), link("leaf", "middle")]);
  return { top, middle, leaf, chosen, dependencies, notes: new KeyNotes(dependencies) };
}

Deno.test("a key that went is followed although a later image of it came", () => {
  const { top, notes } = family();
  notes.removed(top, "a");
  notes.inserted(top, "a");
  notes.moved(top, "b", "c");
  notes.end();
  const { gone, came } = notes.take().settled.get(top)!;
  assert.deepEqual([...gone], ["a", "b"]);
  assert.deepEqual([...came], ["c"]);
  assert.equal(notes.waiting, 0);
});

Deno.test("an inserted key is followed where a cascade may have freed it, and nowhere else", () => {
  const { top, middle, leaf, notes } = family();
  for (const t of [top, middle, leaf]) notes.inserted(t, "a");
  notes.end();
  const { settled } = notes.take();
  assert.deepEqual([...settled.get(middle)!.gone], ["a"]);
  assert.deepEqual([...settled.get(top)!.gone], []);
  assert.equal(settled.get(leaf), undefined);
});

Deno.test("keys of an open transaction wait for its end, and then count as changed before", () => {
  const { top, notes } = family();
  notes.removed(top, "a");
  assert.equal(notes.waiting, 0, "nothing can be followed yet");
  const first = notes.take();
  assert.equal(first.settled.size, 0);
  assert.deepEqual([...first.open.get(top)!.seen], ["a"]);
  notes.end();
  assert.ok(notes.waiting > 0, "a flush is due though no further change came");
  const { gone, again } = notes.take().settled.get(top)!;
  assert.deepEqual([...gone], ["a"]);
  assert.deepEqual([...again], ["a"]);
});

Deno.test("a choosing key with several events is known, within a transaction and across several", () => {
  const { top, notes } = family();
  notes.changed(top, "a");
  notes.changed(top, "a");
  notes.changed(top, "b");
  notes.end();
  notes.changed(top, "b");
  notes.changed(top, "c");
  notes.end();
  assert.deepEqual([...notes.take().settled.get(top)!.again], ["a", "b"]);
});

Deno.test("every table that may be reached is known before a flush begins", () => {
  const { top, middle, leaf, chosen, notes } = family();
  notes.removed(top, "a");
  assert.deepEqual(notes.tables(), new Set([top, middle, leaf, chosen]));
});
