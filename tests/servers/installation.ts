/**
 * An unpacked server: how its programs are called, and the data folder that all servers of it begin with.
 * @module
 */
import { cached, exists } from "./cache_folder.ts";
import { run, tail } from "./command.ts";
import { unpackedPackages } from "./packages.ts";
import { createUser, type Vendor } from "./test_server.ts";

/** How the programs of an unpacked server are called. */
export interface Installation {
  /** Which family. */
  vendor: Vendor;
  /** The folder that holds its `usr`. */
  root: string;
  /** Argv of a program, through the unpacked loader, so that the machine's own libraries play no part. */
  program(path: string): string[];
  /** Argv of the server with the options that say where its files are. */
  server(): string[];
}

const LIBRARIES: Record<string, { triple: string; loader: string }> = {
  x86_64: { triple: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" },
  aarch64: { triple: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" },
};

/** The unpacked server of a vendor, fetched when it is not there yet. */
export async function installation(vendor: Vendor): Promise<Installation> {
  return await installationAt(vendor, await unpackedPackages(vendor));
}

/** As `installation`, for packages lying at `root`, which the programs see as `seenAt`, run by root or not. */
export async function installationAt(
  vendor: Vendor,
  root: string,
  seenAt = root,
  byRoot = Deno.uid() === 0,
): Promise<Installation> {
  const { triple, loader } = LIBRARIES[Deno.build.arch];
  // Newer releases have everything under /usr, older ones keep libc outside.
  const inUsr = await exists(`${root}/usr/lib/${triple}/${loader}`);
  const start = [
    `${seenAt}${inUsr ? "/usr" : ""}/lib/${triple}/${loader}`,
    "--library-path",
    `${seenAt}/usr/lib/${triple}:${seenAt}/lib/${triple}`,
  ];
  const share = `${seenAt}/usr/share/mysql`;
  const program = (path: string) => [...start, `${seenAt}/${path}`];
  return {
    vendor,
    root,
    program,
    server: () => [
      ...program(vendor === "mysql" ? "usr/sbin/mysqld" : "usr/sbin/mariadbd"),
      "--no-defaults",
      `--basedir=${seenAt}/usr`,
      `--lc-messages-dir=${share}`,
      `--character-sets-dir=${share}/charsets`,
      `--plugin-dir=${seenAt}/usr/lib/mysql/plugin`,
      // Built in is a folder of the system, which is not there.
      ...(vendor === "mysql" ? ["--secure-file-priv=NULL"] : []),
      // A server refuses to run as root unless told so in words.
      ...(byRoot ? ["--user=root"] : []),
    ],
  };
}

/** A data folder, initialised and with our user in it, to be copied and not to be run on. */
export async function dataTemplate(at: Installation): Promise<string> {
  const stamp = await run([...at.server(), "--version"]);
  const version = /Ver (\S+)/.exec(stamp)?.[1] ?? "unknown";
  return await cached(
    `data/${at.vendor}-${version}-${await digest(stamp + createUser(at.vendor))}`,
    async (folder) => {
      await (at.vendor === "mysql" ? initialiseMysql : bootstrapMariadb)(at, folder);
    },
  );
}

async function initialiseMysql(at: Installation, folder: string): Promise<void> {
  const init = `${folder}.sql`;
  const log = `${folder}.log`;
  await Deno.writeTextFile(init, createUser("mysql"));
  try {
    await run([
      ...at.server(),
      "--initialize-insecure",
      `--datadir=${folder}`,
      `--init-file=${init}`,
      `--log-error=${log}`,
      "--innodb-redo-log-capacity=16M",
      "--mysqlx=OFF",
    ]);
  } catch (error) {
    throw new Error(`mysqld cannot initialise a data folder: ${tail(await Deno.readTextFile(log))}`, {
      cause: error,
    });
  } finally {
    await Deno.remove(init);
    await Deno.remove(log);
  }
  // Every copy is to be a server of its own, with its own UUID.
  await Deno.remove(`${folder}/auto.cnf`);
}

/** What mariadb-install-db does, without its shell script, which would look for its programs in the system. */
async function bootstrapMariadb(at: Installation, folder: string): Promise<void> {
  const share = `${at.root}/usr/share/mysql`;
  const scripts = [
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "mysql_sys_schema.sql",
  ].map((name) => Deno.readTextFile(`${share}/${name}`));
  const stdin = [
    "CREATE DATABASE mysql;",
    "USE mysql;",
    "SET @auth_root_socket=NULL;",
    "SET @skip_auth_anonymous=1;",
    ...await Promise.all(scripts),
    "FLUSH PRIVILEGES;",
    createUser("mariadb"),
  ].join("\n");
  await run([...at.server(), "--bootstrap", `--datadir=${folder}`, "--innodb-log-file-size=128M"], { stdin });
}

async function digest(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return hash.toHex().slice(0, 8);
}
