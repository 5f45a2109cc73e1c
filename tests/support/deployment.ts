/**
 * What the packaging says that a process is given: `compose.yaml`, `deploy/kubernetes.yaml` and the `Dockerfile`, read.
 * @module
 */
import assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";

/** The folder of the repository. */
export const ROOT = new URL("../../", import.meta.url).pathname;

/** A service of `compose.yaml`, in the one form that the file uses of each field. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

/** The services of `compose.yaml` as Compose sees them with this environment. */
export async function readCompose(
  environment: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, ComposeService>>> {
  const file = parse(await Deno.readTextFile(`${ROOT}compose.yaml`), { strict: true, logLevel: "error" });
  return interpolated(file.services, environment);
}

/** `${NAME:-default}` and `$$` in every text; another form of variable fails. */
// deno-lint-ignore no-explicit-any
function interpolated(value: any, environment: Readonly<Record<string, string>>): any {
  if (Array.isArray(value)) return value.map((each) => interpolated(each, environment));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, interpolated(v, environment)]));
  }
  if (typeof value !== "string") return value;
  return value.replace(/\$\$|\$\{(\w+):-(.*?)\}|\$/g, (whole, name, otherwise) => {
    if (whole === "$$") return "$";
    assert.ok(name !== undefined, `the variable in ${JSON.stringify(value)} is not known here`);
    return environment[name] || otherwise;
  });
}

/** Where a service's bind mounts lie on the host, by their places in the container. */
export function mountsOf(service: ComposeService): ReadonlyMap<string, string> {
  return new Map((service.volumes ?? []).map((volume) => {
    const [here, there] = /^\.\/([^:]+):(\/[^:]+):ro$/.exec(volume)?.slice(1) ?? [];
    assert.ok(here !== undefined, `the mount ${volume} is not "./here:/there:ro"`);
    return [there, ROOT + here];
  }));
}

/** The objects of `deploy/kubernetes.yaml`, by their kinds. */
// deno-lint-ignore no-explicit-any
export async function readKubernetes(): Promise<Readonly<Record<string, any>>> {
  const documents = parseAllDocuments(await Deno.readTextFile(`${ROOT}deploy/kubernetes.yaml`), {
    strict: true,
  });
  // deno-lint-ignore no-explicit-any
  const objects: Record<string, any> = {};
  for (const document of documents) {
    assert.ok("errors" in document && document.errors.length === 0 && document.warnings.length === 0);
    const object = document.toJS();
    assert.ok(!(object.kind in objects), `two of kind ${object.kind}`);
    objects[object.kind] = object;
  }
  return objects;
}

/** What the `Dockerfile` sets for every container. */
export async function readImageEnvironment(): Promise<Readonly<Record<string, string>>> {
  const text = await Deno.readTextFile(`${ROOT}Dockerfile`);
  return Object.fromEntries(
    [...text.matchAll(/^ENV (.*)$/gm)].flatMap(([, pairs]) => pairs.split(" ")).map((pair) =>
      pair.split("=")
    ),
  );
}
