/**
 * compose.yaml without an engine: its servers with the options, its scripts, health checks and commands with the
 * environment that it gives them, as processes of this machine. Only the names of hosts and the places of mounted files
 * are put in.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { FerryResource } from "../../lib/progress/resource.ts";
import { clientTools, startServer, type TestServer } from "../servers/mod.ts";
import { installation } from "../servers/installation.ts";
import { run } from "../servers/command.ts";
import { type ComposeService, mountsOf, readCompose } from "../support/deployment.ts";
import { Service } from "../support/service.ts";
import { Sql } from "../support/sql.ts";

/** The server of a service: its options, and the scripts that its image runs at the first start. */
async function startAsComposed(service: ComposeService): Promise<TestServer> {
  assert.match(service.image!, /^mysql:/);
  const options = service.command!.map((option) => /^--([\w-]+)=(.*)$/.exec(option)!.slice(1));
  const server = await startServer({ vendor: "mysql", settings: Object.fromEntries(options) });
  const { client } = await clientTools("mysql");
  const argv = [...client, `--host=${server.host}`, `--port=${server.port}`, `--user=${server.user}`];
  for (const [place, path] of mountsOf(service)) {
    assert.match(place, /^\/docker-entrypoint-initdb\.d\/[\w-]+\.sql$/);
    await run(argv, { stdin: await Deno.readTextFile(path), env: { MYSQL_PWD: server.password } });
  }
  return server;
}

Deno.test("compose.yaml: a ferry is posted, copies while the application writes, and gets across", async () => {
  const { source, target, writer, chainferry, ferry } = await readCompose();
  await using from = await startAsComposed(source);
  await using to = await startAsComposed(target);
  const bin = await Deno.makeTempDir({ prefix: "chainferry-compose-" });
  await using _bin = { [Symbol.asyncDispose]: () => Deno.remove(bin, { recursive: true }) };

  // What the images have on their PATH.
  const at = await installation("mysql");
  const programs = {
    mysql: (await clientTools("mysql")).client,
    mysqladmin: [...at.program("usr/bin/mysqladmin"), "--no-defaults"],
  };
  for (const [name, argv] of Object.entries(programs)) {
    await Deno.writeTextFile(`${bin}/${name}`, `#!/bin/sh\nexec ${argv.join(" ")} "$@"\n`, { mode: 0o755 });
  }
  const PATH = `${bin}:${Deno.env.get("PATH")}`;

  for (const [{ healthcheck }, { port }] of [[source, from], [target, to]] as const) {
    const [kind, program, ...args] = healthcheck!.test;
    assert.equal(kind, "CMD");
    const said = await run([`${bin}/${program}`, ...args, `--port=${port}`]);
    assert.equal(said, "mysqld is alive\n");
  }

  const located = (text: string) =>
    text.replaceAll("source:3306", `${from.host}:${from.port}`)
      .replaceAll("target:3306", `${to.host}:${to.port}`)
      .replaceAll("--host=source --port=3306", `--host=${from.host} --port=${from.port}`);
  const environment = Object.entries(chainferry.environment!).map(([name, text]) => [name, located(text)]);
  await using service = await Service.start(Object.fromEntries(environment));

  /** The process of a service whose entrypoint is a shell. */
  const start = (composed: ComposeService) => {
    assert.deepEqual(composed.entrypoint, ["sh", "-c"]);
    let script = located(composed.command!.join(" ")).replaceAll("http://chainferry:8080", service.url);
    for (const [place, path] of mountsOf(composed)) {
      assert.ok(script.includes(place), `${place} is mounted and not used`);
      script = script.replaceAll(place, path);
    }
    return new Deno.Command("sh", {
      args: ["-c", script],
      env: { PATH, ...composed.environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
  };
  const writing = start(writer);
  const complaints = new Response(writing.stderr).text();
  const written = new Response(writing.stdout).text();
  let gone = false;
  writing.status.then(() => gone = true);
  const stopWriting = async () => {
    try {
      Deno.kill(-writing.pid, "SIGKILL");
    } catch {
      // it has ended
    }
    await Promise.all([writing.status, written]);
    return await complaints;
  };
  await using _writing = {
    async [Symbol.asyncDispose]() {
      await stopWriting();
    },
  };

  const order = async (method: string, place: string, body?: unknown) => {
    const answer = await service.ask(method, `/v1/ferries/shop${place}`, body);
    assert.ok(answer.status < 300, `${method} ${place}: ${answer.status} ${JSON.stringify(answer.body)}`);
  };
  const until = async (what: string, holds: (resource: FerryResource) => boolean) => {
    const end = performance.now() + 120_000;
    for (;;) {
      const resource = (await service.ask("GET", "/v1/ferries/shop")).body as FerryResource;
      if (holds(resource)) return resource;
      assert.ok(!gone, `the application has ended: ${gone && await complaints}`);
      assert.ok(
        resource.state !== "failed" && performance.now() < end,
        `${what}: ${JSON.stringify(resource)}`,
      );
      await sleep(50);
    }
  };

  for (const time of ["first", "second"]) {
    const { success, stdout, stderr } = await start(ferry).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.ok(success, `the ${time} time: ${said}`);
    assert.equal(JSON.parse(said).id, "shop");
  }
  const { progress } = await until(
    "moves",
    ({ state, progress }) => state === "copying" && progress.rowsCopied > 0,
  );
  assert.ok(progress.rowsCopied < 100_000, "there is time to watch it");
  // The rest need not be watched.
  await order("PATCH", "", { throttle: null });
  await until("waits", ({ state, progress }) => state === "awaitingCutover" && progress.changesApplied > 20);
  await order("POST", "/cutover");
  const { verification } = await until("is done", ({ state }) => state === "done");
  assert.equal(verification.state, "passed");

  // What waits at the fence would be written once it falls.
  await using sql = await Sql.open(from.url);
  assert.equal(await stopWriting(), "", "what the application was told");
  const waiting = await sql.run("SELECT id FROM information_schema.processlist WHERE user = 'shop'");
  for (const { ID, id = ID } of waiting) await sql.run(`KILL ${id}`).catch(() => {});
  assert.equal(await service.term(), 0);
  await using other = await Sql.open(to.url);
  const sums = "CHECKSUM TABLE shop.customers, shop.orders";
  assert.deepEqual(await other.run(sums), await sql.run(sums));
  const [{ n }] = await sql.run("SELECT COUNT(*) AS n FROM shop.orders WHERE id > 180000");
  assert.ok(Number(n) > 0, "the application has written");
});
