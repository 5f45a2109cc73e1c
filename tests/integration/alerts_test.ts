/**
 * The alert rules ring when they are meant to, and end: Prometheus' own tool plays time series through them.
 */
import { run } from "../servers/command.ts";
import { promtool } from "../servers/promtool.ts";

Deno.test("the alerts ring when they are meant to, and at no other time", async () => {
  const cwd = new URL("../../deploy/", import.meta.url).pathname;
  await run([await promtool(), "check", "rules", "alerts.yaml"], { cwd });
  await run([await promtool(), "test", "rules", "alerts_test.yaml"], { cwd });
});
