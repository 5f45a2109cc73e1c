/**
 * An image of a server built here, from the unpacked packages: no registry is needed. It holds a data folder that is
 * initialised, our user included, so a container is up as fast as a local server.
 * @module
 */
import { run } from "./command.ts";
import { dataTemplate, installation, installationAt } from "./installation.ts";
import { unpackedPackages } from "./packages.ts";
import type { Vendor } from "./test_server.ts";

/** The name that an image built here gets. */
export function localImage(vendor: Vendor): string {
  return `chainferry-test-${vendor}:local`;
}

/** Builds the image with the engine that answers, and returns its name. */
export async function buildImage(vendor: Vendor): Promise<string> {
  const root = await unpackedPackages(vendor);
  const template = await dataTemplate(await installation(vendor));
  const inside = await installationAt(vendor, root, "", true);
  const staging = await Deno.makeTempDir({ prefix: "chainferry-image-" });
  try {
    for (const folder of ["tmp", "etc"]) await Deno.mkdir(`${staging}/${folder}`);
    await Deno.writeTextFile(`${staging}/etc/passwd`, "root:x:0:0:root:/:/none\n");
    await Deno.symlink(template, `${staging}/data`);
    await Deno.symlink(`${root}/usr`, `${staging}/usr`);
    const parts = ["tmp", "etc", "data/.", "usr/."];
    // Older releases keep libc outside of /usr.
    for await (const { name, isDirectory } of Deno.readDir(root)) {
      if (!/^lib/.test(name) || !isDirectory) continue;
      await Deno.symlink(`${root}/${name}`, `${staging}/${name}`);
      parts.push(`${name}/.`);
    }
    const archive = `${staging}/image.tar`;
    // "folder/." goes through the symbolic link, whatever is linked within the folder stays a link.
    await run(["tar", "-C", staging, "--owner=0", "--group=0", "-cf", archive, ...parts]);
    const entrypoint = JSON.stringify([
      ...inside.server(),
      "--datadir=/data",
      "--socket=/tmp/s.sock",
      "--pid-file=/tmp/pid",
    ]);
    const changes = [`ENTRYPOINT ${entrypoint}`, "VOLUME /data", "EXPOSE 3306"];
    const image = localImage(vendor);
    await run(["docker", "import", ...changes.flatMap((change) => ["--change", change]), archive, image]);
    return image;
  } finally {
    await Deno.remove(staging, { recursive: true });
  }
}
