/**
 * mydumper and myloader, from unpacked packages.
 * @module
 */
import { installationAt } from "./installation.ts";
import { unpackedMydumper } from "./packages.ts";

/** How the two programs are called; they are fetched when they are not there yet. */
export async function mydumperTools(): Promise<{ mydumper: string[]; myloader: string[] }> {
  const at = await installationAt("mysql", await unpackedMydumper());
  const plugins = `${at.root}/usr/lib/${Deno.build.arch}-linux-gnu/libmariadb3/plugin`;
  const argv = (name: string) => [
    "env",
    `MARIADB_PLUGIN_DIR=${plugins}`,
    ...at.program(`usr/bin/${name}`),
    "--defaults-file=/dev/null",
  ];
  return { mydumper: argv("mydumper"), myloader: argv("myloader") };
}
