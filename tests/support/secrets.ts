/**
 * Users whose passwords are found wherever they turn up.
 * @module
 */
import assert from "node:assert/strict";
import { Sql } from "./sql.ts";

/** The passwords, by what they open. */
export const SECRETS = {
  source: "Unmistakable-source-1",
  target: "Unmistakable-target-2",
  wrong: "Unmistakable-wrong-3",
  http: "Unmistakable-http-4",
  callbacks: "Unmistakable-callbacks-5",
} as const;

/** Makes a user on a server that may do everything, and returns the URL with its password. */
export async function makeSecretUser(url: string, side: "source" | "target"): Promise<string> {
  await using sql = await Sql.open(url);
  await sql.run(`CREATE USER watched@'%' IDENTIFIED BY '${SECRETS[side]}'; GRANT ALL ON *.* TO watched@'%'`);
  return withPassword(url, side);
}

/** The same server for that user with one of the passwords. */
export function withPassword(url: string, secret: keyof typeof SECRETS): string {
  return url.replace(/\/\/[^@]*@/, `//watched:${SECRETS[secret]}@`);
}

/** Fails where a text shows one of the passwords, also as base64 or escaped for a URL. */
export function assertNoSecret(text: string, where: string): void {
  for (const secret of [...Object.values(SECRETS), "Unmistakable"]) {
    const at = text.indexOf(secret);
    assert(at < 0, `${where} shows a password: …${text.slice(Math.max(0, at - 100), at + 40)}…`);
  }
  // The middle of any base64, whichever byte it begins with.
  for (const shift of ["", "x", "xx"]) {
    const encoded = btoa(`${shift}Unmistakable`).slice(4, 14);
    assert(!text.includes(encoded), `${where} shows a password as base64`);
  }
}
