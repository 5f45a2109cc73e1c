/**
 * The folders that servers run in, and what is left of those whose test process was killed.
 * @module
 */
import { removeFolder } from "./cache_folder.ts";

const PREFIX = "chainferry-test-";

/** A new temporary folder that names its owner, so that it can be swept when the owner is gone. */
export async function claimFolder(vendor: string): Promise<string> {
  return await Deno.makeTempDir({ prefix: `${PREFIX}${vendor}-${Deno.pid}-` });
}

/**
 * Ends the servers, and removes the folders, of test processes that are no more. A killed test process cannot stop its
 * servers itself; without this they would stay for ever.
 */
export async function sweepFolders(): Promise<void> {
  const probe = await Deno.makeTempDir({ prefix: PREFIX });
  await Deno.remove(probe);
  const parent = probe.slice(0, probe.lastIndexOf("/"));
  for await (const { name, isDirectory } of Deno.readDir(parent)) {
    const owner = /^chainferry-test-\w+-(\d+)-/.exec(name)?.[1];
    if (!isDirectory || !owner || Number(owner) === Deno.pid || await commandLine(owner) !== "") continue;
    const folder = `${parent}/${name}`;
    try {
      const pid = await pidOf(folder);
      // The number may belong to another program by now; ours has the folder in its arguments.
      if ((await commandLine(pid)).includes(folder)) Deno.kill(Number(pid), "SIGKILL");
      await removeFolder(folder);
    } catch {
      // Somebody else's, or another process is sweeping it too.
    }
  }
}

/** Notes which process runs in a folder. */
export async function notePid(folder: string, pid: number): Promise<void> {
  await Deno.writeTextFile(`${folder}/pid`, String(pid));
}

async function pidOf(folder: string): Promise<string> {
  try {
    return await Deno.readTextFile(`${folder}/pid`);
  } catch (error) {
    // Its owner died before it had started a server in it.
    if (error instanceof Deno.errors.NotFound) return "none";
    throw error;
  }
}

/** The arguments of a process; empty when there is none. */
async function commandLine(pid: string): Promise<string> {
  try {
    return await Deno.readTextFile(`/proc/${pid}/cmdline`);
  } catch {
    return "";
  }
}
