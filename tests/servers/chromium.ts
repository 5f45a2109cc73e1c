/**
 * A browser for the tests of the page: the one that is named, the system's, or one from unpacked packages.
 * @module
 */
import { cacheFolder, exists } from "./cache_folder.ts";
import { unpackedChromium } from "./packages.ts";

/** Where a system keeps it. */
const PLACES: readonly string[] = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** How a browser is started. */
export interface BrowserProgram {
  /** The executable. */
  readonly path: string;
  /** Variables that it needs beside those that are there. */
  readonly env: Readonly<Record<string, string>>;
}

/** `FERRY_CHROMIUM`, or the one that is installed, or the unpacked one. */
export async function chromiumProgram(): Promise<BrowserProgram> {
  const named = Deno.env.get("FERRY_CHROMIUM");
  if (named) return { path: named, env: {} };
  for (const path of PLACES) if (await exists(path)) return { path, env: {} };
  return await unpackedChromiumProgram();
}

/** Chromium from Debian's packages, fetched when it is not there yet. */
export async function unpackedChromiumProgram(): Promise<BrowserProgram> {
  const root = await unpackedChromium();
  const libraries = `${root}/usr/lib/${Deno.build.arch}-linux-gnu`;
  return {
    path: `${root}/usr/lib/chromium/chromium`,
    env: {
      // It starts itself anew for each page, so the loader is not named on a command line, as a server's is.
      LD_LIBRARY_PATH: [
        libraries,
        `${libraries}/nss`,
        `${libraries}/pulseaudio`,
        `${root}/lib/${Deno.build.arch}-linux-gnu`,
      ].join(":"),
      FONTCONFIG_FILE: await fontSettings(root),
    },
  };
}

/** The package's own settings are links that its installation would make; what is needed is where the fonts are. */
async function fontSettings(root: string): Promise<string> {
  const file = `${root}/fonts.conf`;
  if (await exists(file)) return file;
  const own = `${file}.${Deno.pid}`;
  await Deno.writeTextFile(
    own,
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${root}/usr/share/fonts</dir><cachedir>${cacheFolder()}/fonts</cachedir></fontconfig>
`,
  );
  await Deno.rename(own, file);
  return file;
}
