/**
 * Debian packages unpacked into the cache, without root and without touching the system: apt runs on a state folder of
 * its own in which nothing is installed, so it fetches every library that is needed, down to libc.
 * @module
 */
import { cached } from "./cache_folder.ts";
import { run } from "./command.ts";
import type { Vendor } from "./test_server.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

interface Selection {
  /** Fetched with all that they depend on. */
  whole: string[];
  /** Fetched alone: only single programs of them are wanted. */
  alone: string[];
  /** Left out: the beginnings of file names. */
  without?: RegExp;
}

const SELECTIONS: Record<Vendor, Selection> = {
  mysql: { whole: ["mysql-server-core", "mysql-client-core"], alone: [] },
  // mariadb-dump is not in the client's core package.
  mariadb: { whole: ["mariadb-server-core", "mariadb-client-core"], alone: ["mariadb-client"] },
};

/** Scripts that come along need Perl; we run none of them. */
const NOT_NEEDED = /^(perl|libperl|libgdbm|libc-gconv-modules-extra)/;

/** The unpacked packages of a server: the folder that holds its `usr`. */
export async function unpackedPackages(vendor: Vendor): Promise<string> {
  // MySQL is in no Debian release, only in unstable.
  return await unpacked(vendor, SELECTIONS[vendor], vendor === "mysql");
}

/** mydumper and myloader, for comparing with them; unstable's know both families' newest servers. */
export async function unpackedMydumper(): Promise<string> {
  return await unpacked("mydumper", { whole: ["mydumper"], alone: [] }, true);
}

/** promtool, for testing alert rules: a program of the package that stands alone. */
export async function unpackedPrometheus(): Promise<string> {
  return await unpacked("prometheus", { whole: [], alone: ["prometheus"] }, false);
}

/** Left out of Chromium: libc, since the machine's own loader runs it, and what draws on a graphics card. */
const NOT_CHROMIUMS = /^(libc6|libc-bin|libllvm\d+|libz3-\d+|libgl1-mesa-dri|adwaita-icon-theme)_/;

/** Chromium with its libraries and a font, of the machine's own release, whose libc it is run with. */
export async function unpackedChromium(): Promise<string> {
  return await unpacked("chromium", { whole: ["chromium"], alone: [], without: NOT_CHROMIUMS }, false);
}

async function unpacked(
  name: string,
  { whole, alone, without }: Selection,
  unstable: boolean,
): Promise<string> {
  const own = await codename();
  return await cached(`packages/${name}-${unstable ? "sid" : own}-${Deno.build.arch}`, async (folder) => {
    const archive = await debianArchive(own);
    const release = unstable ? "sid" : archive.release;
    const apt = `${folder}/apt`;
    const env = await privateApt(apt, `deb [signed-by=${KEYRING}] ${archive.uri} ${release} main\n`);
    const debs = `${apt}/cache/archives`;
    await run(["apt-get", "update"], { env });
    await run(["apt-get", "install", "--yes", "--no-install-recommends", "--download-only", ...whole], {
      env,
    });
    if (alone.length > 0) await run(["apt-get", "download", ...alone], { env, cwd: debs });
    for await (const { name, isFile } of Deno.readDir(debs)) {
      if (isFile && name.endsWith(".deb") && !NOT_NEEDED.test(name) && !without?.test(name)) {
        await run(["dpkg-deb", "-x", `${debs}/${name}`, folder]);
      }
    }
    await run(["rm", "-rf", apt, `${folder}/usr/share/doc`, `${folder}/usr/share/man`]);
  });
}

/** Where packages come from. */
interface Archive {
  readonly uri: string;
  readonly release: string;
}

/** What the machine's release is called. */
async function codename(): Promise<string> {
  const osRelease = await Deno.readTextFile("/etc/os-release");
  return /^VERSION_CODENAME="?([\w-]+)/m.exec(osRelease)?.[1] ?? "sid";
}

/** The machine's main Debian archive and its own release, from apt's configuration: a mirror stays a mirror. */
async function debianArchive(codename: string): Promise<Archive> {
  const targets = await run([
    "apt-get",
    "--no-release-info",
    "indextargets",
    "--format",
    "$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)",
  ]);
  const rows = targets.split("\n").map((line) => line.split(" "))
    .filter(([kind, _release, component]) => kind === "Packages" && component === "main");
  const aliases = ["stable", "oldstable", "testing", "unstable", "sid"];
  const row = rows.find(([, release]) => release === codename) ??
    rows.find(([, release]) => aliases.includes(release));
  if (!row) throw new Error(`no main Debian archive for "${codename}" among apt's sources`);
  return { release: row[1], uri: row[3] };
}

/**
 * Makes a state folder for apt with one source and returns the environment that makes apt use it. The machine's own
 * configuration is left out (its hooks act on the system) but for how to reach the network, and how old a mirror may be.
 * Signatures are always checked.
 */
async function privateApt(folder: string, source: string): Promise<Record<string, string>> {
  for (const sub of ["lists/partial", "cache/archives/partial", "none"]) {
    await Deno.mkdir(`${folder}/${sub}`, { recursive: true });
  }
  await Deno.writeTextFile(`${folder}/status`, "");
  await Deno.writeTextFile(`${folder}/sources.list`, source);
  const acquire = (await run(["apt-config", "dump", "Acquire"])).split("\n")
    .filter((line) =>
      /^Acquire::[\w:-]*(Proxy|CAInfo|Verify-|Timeout|Retries|Check-Valid-Until|Check-Date)/i.test(line)
    );
  const settings = [
    ...acquire,
    `Dir::State "${folder}";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::State::extended_states "${folder}/extended_states";`,
    `Dir::Cache "${folder}/cache";`,
    `Dir::Log "${folder}";`,
    `Dir::Etc::main "${folder}/none/apt.conf";`,
    `Dir::Etc::parts "${folder}/none";`,
    `Dir::Etc::sourcelist "${folder}/sources.list";`,
    `Dir::Etc::sourceparts "${folder}/none";`,
    `Dir::Etc::preferences "${folder}/none/preferences";`,
    `Dir::Etc::preferencesparts "${folder}/none";`,
    `Acquire::Languages "none";`,
    `Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";`,
    // apt's own user could not write into a cache in somebody's home.
    `APT::Sandbox::User "";`,
  ];
  await Deno.writeTextFile(`${folder}/apt.conf`, settings.join("\n") + "\n");
  return { APT_CONFIG: `${folder}/apt.conf`, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
}
