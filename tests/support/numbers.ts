/**
 * A table of numbers, for making rows on the server.
 * @module
 */
import type { Sql } from "./sql.ts";

/** Makes `numbers.n (n INT PRIMARY KEY)` with 0 to 99,999. */
export async function makeNumbers(sql: Sql): Promise<void> {
  await sql.run("CREATE DATABASE numbers; CREATE TABLE numbers.n (n INT PRIMARY KEY)");
  await sql.run("INSERT INTO numbers.n VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9)");
  const digits = ["a", "b", "c", "d", "e"];
  await sql.run(
    `INSERT IGNORE INTO numbers.n SELECT ${digits.map((d, i) => `${10 ** i} * ${d}.n`).join(" + ")} FROM ${
      digits.map((d) => `numbers.n ${d}`).join()
    }`,
  );
}
