/**
 * The packaging says nothing that the program does not understand: names of variables, connections, probes, mounts, and
 * the workflow that tests all of it.
 */
import assert from "node:assert/strict";
import { parseArguments } from "../../lib/cli/arguments.ts";
import { parseSpec } from "../../lib/spec/parse_spec.ts";
import { readSettings, refusalToServe, type Settings } from "../../lib/spec/settings.ts";
import { createApp } from "../../routes/app.ts";
import { mountsOf, readCompose, readImageEnvironment, readKubernetes, ROOT } from "../support/deployment.ts";
import { readWorkflow } from "../support/workflow.ts";
import { FakeDock } from "./routes_fake_dock.ts";

/** The variables that the program asks for, noted while it reads its settings and its arguments. */
function variablesRead(): ReadonlySet<string> {
  const names = new Set<string>();
  const noted = new Proxy({} as Record<string, string>, {
    get(_, name) {
      names.add(String(name));
      return undefined;
    },
  });
  readSettings(noted);
  parseArguments(["watch", "http://127.0.0.1/v1/ferries/x"], noted);
  return names;
}

/** Settings of a container that is given this environment; every name has to be one that somebody reads. */
async function settingsOf(environment: Readonly<Record<string, string>>): Promise<Settings> {
  const known = variablesRead();
  assert.ok(known.has("FERRY_TOKEN") && known.has("FERRY_INTERVAL"), [...known].join());
  const strange = Object.keys(environment).filter((name) =>
    !known.has(name) && !name.startsWith("FERRY_CONNECTION_")
  );
  assert.deepEqual(strange, [], "variables that the program does not read");
  const reading = readSettings({ ...await readImageEnvironment(), ...environment });
  if ("faults" in reading) assert.fail(reading.faults.join("\n"));
  return reading.settings;
}

Deno.test("compose.yaml gives the service what it reads, and a token because it listens beyond loopback", async () => {
  const { chainferry, ferry } = await readCompose();
  const settings = await settingsOf(chainferry.environment!);
  assert.equal(refusalToServe(settings), null);
  assert.notEqual(refusalToServe({ ...settings, token: null }), null, "without the token it would refuse");
  assert.equal(ferry.environment!.FERRY_TOKEN, settings.token);
  const own = await readCompose({ FERRY_TOKEN: "mine" });
  assert.equal(own.chainferry.environment!.FERRY_TOKEN, "mine");
  assert.equal(own.ferry.environment!.FERRY_TOKEN, "mine");
  const spec = JSON.parse(await Deno.readTextFile(mountsOf(ferry).get("/spec.json")!));
  const parsed = parseSpec(spec, settings.connections);
  if ("faults" in parsed) assert.fail(JSON.stringify(parsed.faults));
});

Deno.test("compose.yaml publishes on loopback only, mounts files that are there, and waits for what is healthy", async () => {
  const services = await readCompose();
  const image = await readImageEnvironment();
  assert.deepEqual(
    Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`)),
    [`chainferry 127.0.0.1:8080:${image.PORT}`],
  );
  for (const [name, service] of Object.entries(services)) {
    for (const path of mountsOf(service).values()) assert.ok((await Deno.stat(path)).isFile, path);
    if (service.build === undefined) assert.match(service.image ?? "", /:[\d.]+$/, `${name} is pinned`);
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      assert.equal(condition, "service_healthy");
      const { healthcheck, build } = services[other];
      // The image has a health check of its own.
      assert.ok(healthcheck !== undefined || build === ".", `${name} waits for ${other}, which has none`);
    }
  }
});

Deno.test("kubernetes.yaml gives the pod what it reads, probes that answer without a token, and no rights", async () => {
  const { Secret, Deployment, Service } = await readKubernetes();
  const pod = Deployment.spec.template;
  const [container, ...others] = pod.spec.containers;
  assert.deepEqual(others, []);
  assert.deepEqual(container.envFrom, [{ secretRef: { name: Secret.metadata.name } }]);
  const given = container.env.map(({ name, value }: { name: string; value: string }) => [name, value]);
  const settings = await settingsOf({ ...Object.fromEntries(given), ...Secret.stringData });
  assert.equal(refusalToServe(settings), null);
  assert.deepEqual([...settings.connections.keys()].sort(), ["shop-eu", "shop-us"]);

  const app = createApp({ dock: new FakeDock(), settings });
  for (const probe of [container.livenessProbe, container.readinessProbe]) {
    assert.equal((await app.request(probe.httpGet.path)).status, 200, probe.httpGet.path);
  }
  assert.equal((await app.request("/v1/ferries")).status, 401, "everything else wants the token");
  assert.equal(container.livenessProbe.httpGet.path, "/healthz");
  assert.equal(container.readinessProbe.httpGet.path, "/readyz");
  const [{ name: port, containerPort }] = container.ports;
  assert.equal(containerPort, settings.port);
  for (const target of [container.livenessProbe.httpGet.port, Service.spec.ports[0].targetPort]) {
    assert.equal(target, port);
  }
  for (const selector of [Deployment.spec.selector.matchLabels, Service.spec.selector]) {
    assert.deepEqual(selector, pod.metadata.labels);
  }

  assert.equal(Deployment.spec.replicas, 1);
  const spec = parseSpec({ source: "shop-eu", target: "shop-us", tables: ["shop.*"] }, settings.connections);
  if ("faults" in spec) assert.fail(JSON.stringify(spec.faults));
  assert.ok(
    pod.spec.terminationGracePeriodSeconds > spec.spec.cutover.timeoutSeconds,
    "a cutover's own time",
  );
  assert.equal(pod.spec.securityContext.runAsNonRoot, true);
  const user = /^USER (\d+):(\d+)$/m.exec(await Deno.readTextFile(`${ROOT}Dockerfile`))!;
  assert.equal(pod.spec.securityContext.runAsUser, Number(user[1]));
  assert.equal(pod.spec.securityContext.runAsGroup, Number(user[2]));
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  });
});

Deno.test("kubernetes.yaml sends its readers to sections that the README has", async () => {
  const text = await Deno.readTextFile(`${ROOT}deploy/kubernetes.yaml`);
  const named = [...text.matchAll(/"([^"]+)" in the README/g)].map((m) => m[1]);
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const sections = [...readme.matchAll(/^#+ (.+)$/gm)].map((m) => m[1]);
  assert.ok(named.length > 0);
  assert.deepEqual(named.filter((name) => !sections.includes(name)), []);
});

Deno.test("the repository's own workflow is one that GitHub takes, and runs what .ci/run runs", async () => {
  const { jobs, permissions } = await readWorkflow(".github/workflows/ci.yml");
  assert.deepEqual(permissions, { contents: "read" });
  const scripts = Object.values(jobs).flatMap((job) => job.steps.flatMap((step) => step.run ?? []));
  const all = scripts.join("\n");
  for (const wanted of ["deno task gates", "deno task test", "docker build", "end_to_end_test.ts"]) {
    assert.ok(all.includes(wanted), wanted);
  }
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  for (const [, task] of all.matchAll(/deno task (\S+)/g)) assert.ok(task in tasks, task);
  for (const [, path] of all.matchAll(/ (tests\/\S+)/g)) {
    assert.ok((await Deno.stat(ROOT + path)).isFile, path);
  }
  for (const job of Object.values(jobs)) {
    assert.ok(job["timeout-minutes"] !== undefined, "every job has an end");
  }
});

Deno.test("one version of Deno everywhere", async () => {
  const paths = [
    "Dockerfile",
    ".ci/run",
    ".ci/image",
    ".github/workflows/ci.yml",
    "docs/examples/ferry_with_watch.yml",
  ];
  for (const path of paths) {
    const text = await Deno.readTextFile(ROOT + path);
    const versions = [...text.matchAll(/(?:deno[@:]|deno-version: )([\d.]+)/g)].map(([, version]) => version);
    assert.deepEqual([...new Set(versions)], [Deno.version.deno], path);
  }
});
