/**
 * `deno run -A tests/servers/build_image.ts [mysql] [mariadb]`: builds the images (both, when none is named) and prints
 * what to set so that the tests use them.
 * @module
 */
import { buildImage } from "./docker_image.ts";
import type { Vendor } from "./test_server.ts";

const vendors = Deno.args.length > 0 ? Deno.args : ["mysql", "mariadb"];
for (const vendor of vendors) {
  if (vendor !== "mysql" && vendor !== "mariadb") throw new Error(`no such vendor: ${vendor}`);
  const image = await buildImage(vendor satisfies Vendor);
  const line = `FERRY_TEST_${vendor.toUpperCase()}_IMAGE=${image}\n`;
  await Deno.stdout.write(new TextEncoder().encode(line));
}
