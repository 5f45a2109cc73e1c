/**
 * The smallest table that a ferry can have, where what is tested is not its rows.
 * @module
 */
import { Sql } from "./sql.ts";

/** Makes `shop.orders` with `rows` rows of an INT key and an INT, both counted from 1. */
export async function makeOrders(url: string, rows = 3): Promise<void> {
  await using sql = await Sql.open(url);
  const values = Array.from({ length: rows }, (_, i) => `(${i + 1},${i + 1})`).join(",");
  await sql.run(
    `CREATE DATABASE shop; CREATE TABLE shop.orders (id INT NOT NULL PRIMARY KEY, v INT NOT NULL);
     INSERT INTO shop.orders VALUES ${values}; ANALYZE TABLE shop.orders`,
  );
}
