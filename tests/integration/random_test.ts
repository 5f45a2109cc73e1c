/**
 * Random schemas, rows, filters and writes: whatever the ferry accepts arrives equal. `FERRY_SEED` says which seed
 * (or `random`), `FERRY_SEEDS` how many from there.
 */
import { type ServerPair, startServer, type TestServer, type Vendor } from "../servers/mod.ts";
import { runScenario } from "../random/run_scenario.ts";
import { scenarioOf } from "../random/scenario.ts";

const given = Deno.env.get("FERRY_SEED");
const count = Number(Deno.env.get("FERRY_SEEDS") ?? (given === undefined ? 10 : 1));
const first = given === undefined
  ? 1
  : given === "random"
  ? Math.floor(Math.random() * 2 ** 31)
  : Number(given);

Deno.test(`whatever the ferry takes arrives equal: ${count} random scenarios from seed ${first}`, async (t) => {
  const servers = new Map<string, TestServer>();
  const server = async (vendor: Vendor, side: string): Promise<TestServer> => {
    const name = `${vendor} ${side}`;
    const there = servers.get(name) ?? await startServer({ vendor });
    servers.set(name, there);
    return there;
  };
  try {
    for (let seed = first; seed < first + count; seed++) {
      const scenario = scenarioOf(seed);
      const [from, to] = scenario.vendors;
      const pair = {
        source: await server(from, "source"),
        target: await server(to, "target"),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      } satisfies ServerPair;
      await t.step(`FERRY_SEED=${seed}, ${from} to ${to}`, async () => {
        await runScenario(scenario, pair, seed);
      });
    }
  } finally {
    await Promise.all([...servers.values()].map((s) => s.stop()));
  }
});
