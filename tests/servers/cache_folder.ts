/**
 * The folder that outlives a run: unpacked packages and data folders to copy from.
 * @module
 */

/** Where the cache is: FERRY_CACHE, or `chainferry` in the user's cache folder. */
export function cacheFolder(): string {
  const own = Deno.env.get("FERRY_CACHE");
  if (own) return own;
  const base = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") || "/tmp"}/.cache`;
  return `${base}/chainferry`;
}

/**
 * The folder `name` of the cache, made by `build` when it is not there. `build` fills a folder beside it that is renamed
 * when it is whole, so a half-made one is never seen. Processes that want the same one wait for the first; the lock is the
 * kernel's and ends with its holder, however that ends.
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const folder = `${cacheFolder()}/${name}`;
  if (await exists(folder)) return folder;
  await Deno.mkdir(folder.slice(0, folder.lastIndexOf("/")), { recursive: true });
  using lock = await Deno.open(`${folder}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (await exists(folder)) return folder;
  // We hold the lock, so what lies here was left by someone who died.
  const partial = `${folder}.partial`;
  await removeFolder(partial);
  await Deno.mkdir(partial);
  try {
    await build(partial);
    await Deno.rename(partial, folder);
  } finally {
    await removeFolder(partial);
  }
  return folder;
}

/** Whether a file or folder is there. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes a folder with all in it; one that is not there is fine. */
export async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
