/**
 * A random scenario as SQL: definitions, first rows, and the application's writes. The same for the same scenario.
 * @module
 */
import type { RandomTable, RandomWrite, Scenario } from "./scenario.ts";

const quote = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

/** A small hash, so that values look random and are the same every time. */
function mix(a: number, b: number, c: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35) ^
    Math.imul(c + 1, 0x27d4eb2f);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

/** Writes SQL for the tables of a scenario in one schema of the source. */
export class ScenarioSql {
  /** For tables in `schema`. */
  constructor(private readonly scenario: Scenario, readonly schema: string) {}

  /** `` `schema`.`table` `` of the `i`th table. */
  place(i: number): string {
    return `${quote(this.schema)}.${quote(this.scenario.tables[i].name)}`;
  }

  /** Statements that make schema, tables and first rows. */
  setUp(): string[] {
    const statements = [`CREATE DATABASE ${quote(this.schema)} CHARACTER SET utf8mb4`];
    this.scenario.tables.forEach((t, i) => {
      statements.push(this.#create(t, i));
      for (let from = 0; from < t.rows; from += 100) {
        const rows = [];
        for (let r = from; r < Math.min(from + 100, t.rows); r++) {
          rows.push(`(${this.#row(i, r, 0).join(", ")})`);
        }
        statements.push(
          `INSERT IGNORE INTO ${this.place(i)} (${this.#names(i).join(", ")}) VALUES ${rows.join(", ")}`,
        );
      }
    });
    return statements;
  }

  /** Statements of one write; several are one transaction. */
  write(w: RandomWrite): string[] {
    const { tables } = this.scenario;
    const i = w.table % tables.length;
    const span = Math.max(20, Math.ceil(tables[i].rows * 1.3));
    const [a, b] = [w.rows[0] % span, w.rows[1] % span];
    const place = this.place(i);
    const insert = (r: number, verb = "INSERT") =>
      `${verb} INTO ${place} (${this.#names(i).join(", ")}) VALUES (${this.#row(i, r, w.salt).join(", ")})`;
    const remove = (r: number) => `DELETE FROM ${place} WHERE ${this.#isRow(i, r)}`;
    switch (w.what) {
      case "insert":
        return [insert(a)];
      case "update":
        return [`UPDATE ${place} SET ${this.#changes(i, a, w.salt)} WHERE ${this.#isRow(i, a)}`];
      case "delete":
        return [remove(a)];
      case "move":
        return [`UPDATE ${place} SET ${this.#key(i, b)} WHERE ${this.#isRow(i, a)}`];
      case "again":
        return [remove(a), insert(a, "REPLACE")];
      case "swap":
        return tables[i].unique
          ? [
            `UPDATE ${place} SET u = NULL WHERE ${this.#isRow(i, a)}`,
            `UPDATE ${place} SET u = ${a} WHERE ${this.#isRow(i, b)}`,
            `UPDATE ${place} SET u = ${b} WHERE ${this.#isRow(i, a)}`,
          ]
          : [remove(a), remove(b), insert(b)];
      case "many":
        return [
          `UPDATE ${place} SET ${this.#changes(i, a, w.salt)} ORDER BY ${
            tables[i].key.names.join(", ")
          } LIMIT 40`,
        ];
      case "rollback":
        return [remove(a), insert(b, "REPLACE"), "ROLLBACK"];
    }
  }

  #create(t: RandomTable, i: number): string {
    const items: string[] = [];
    // The key stands behind other columns, so that rows are put in another order on their way.
    const [first, ...rest] = t.columns;
    const define = (c: RandomTable["columns"][number]) =>
      `${c.name} ${c.kind.type}${/NULL/.test(c.kind.type) ? "" : c.nullable ? " NULL" : " NOT NULL"}`;
    items.push(define(first), ...t.key.columns, ...rest.map(define));
    if (t.unique) items.push("u INT NULL UNIQUE");
    // MariaDB stores nothing that is made of a CHAR: it may be read with or without its padding.
    const stored = /^CHAR/.test(first.kind.type) ? "VIRTUAL" : t.generated;
    if (t.generated !== "no") items.push(`g INT GENERATED ALWAYS AS ((${first.name} IS NULL) + 1) ${stored}`);
    items.push(t.key.definition);
    if (t.indexed) items.push(`KEY first (${first.name})`);
    if (t.hanging !== "no") {
      const parent = this.scenario.tables[i - 1];
      const type = parent.key.columns[0].replace(/^k /, "").replace(/ NOT NULL.*$/, "");
      items.push(`parent ${type} NULL`, "KEY parent (parent)");
      if (t.hanging !== "through") {
        const action = t.hanging === "cascade" ? "CASCADE" : "SET NULL";
        items.push(
          `CONSTRAINT ${quote(`fk ${i}`)} FOREIGN KEY (parent) REFERENCES ${quote(parent.name)} (k) ` +
            `ON DELETE ${action} ON UPDATE ${action}`,
        );
      }
    }
    return `CREATE TABLE ${this.place(i)} (${items.join(", ")}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;
  }

  #names(i: number): string[] {
    const t = this.scenario.tables[i];
    return [
      ...t.key.names,
      ...t.columns.map((c) => c.name),
      ...(t.unique ? ["u"] : []),
      ...(t.hanging === "no" ? [] : ["parent"]),
    ];
  }

  #row(i: number, r: number, salt: number): string[] {
    const t = this.scenario.tables[i];
    return [
      ...t.key.of(r),
      ...t.columns.map((c, n) => c.pool[mix(r, n, salt) % c.pool.length]),
      ...(t.unique ? [r % 5 === 0 ? "NULL" : String(r)] : []),
      ...(t.hanging === "no" ? [] : [this.#parent(i, r, salt)]),
    ];
  }

  #parent(i: number, r: number, salt: number): string {
    const h = mix(r, 77, salt);
    return h % 6 === 0
      ? "NULL"
      : this.scenario.tables[i - 1].key.of(h % Math.max(5, this.scenario.tables[i - 1].rows))[0];
  }

  #isRow(i: number, r: number): string {
    return `(${this.#key(i, r, " AND ")})`;
  }

  #key(i: number, r: number, glue = ", "): string {
    const { names, of } = this.scenario.tables[i].key;
    return of(r).map((value, n) => `${names[n]} = ${value}`).join(glue);
  }

  #changes(i: number, r: number, salt: number): string {
    const t = this.scenario.tables[i];
    const set = t.columns.filter((_, n) => n === salt % t.columns.length || (salt >> 3) % 4 === 0)
      .map((c, n) => `${c.name} = ${c.pool[mix(r, n + 50, salt) % c.pool.length]}`);
    if (t.hanging !== "no" && salt % 3 === 0) set.push(`parent = ${this.#parent(i, r, salt)}`);
    return set.join(", ");
  }
}
