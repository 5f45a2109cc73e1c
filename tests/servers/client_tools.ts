/**
 * The vendors' own dump and client programs, from the unpacked packages.
 * @module
 */
import { installation } from "./installation.ts";
import type { Vendor } from "./test_server.ts";

/** How the programs are called: put options behind. They read no option files. */
export interface ClientTools {
  /** mysqldump or mariadb-dump. */
  dump: string[];
  /** mysql or mariadb. */
  client: string[];
}

/** The programs of a vendor, fetched when they are not there yet. */
export async function clientTools(vendor: Vendor): Promise<ClientTools> {
  const at = await installation(vendor);
  const [dump, client] = vendor === "mysql" ? ["mysqldump", "mysql"] : ["mariadb-dump", "mariadb"];
  const plugins = vendor === "mysql" ? "usr/lib/mysql/plugin" : "usr/lib/x86_64-linux-gnu/libmariadb3/plugin";
  const argv = (name: string) => [
    ...at.program(`usr/bin/${name}`),
    "--no-defaults",
    `--plugin-dir=${at.root}/${plugins.replace("x86_64", Deno.build.arch)}`,
    `--character-sets-dir=${at.root}/usr/share/mysql/charsets`,
  ];
  return { dump: argv(dump), client: argv(client) };
}
