/** What is under way when the service goes is told to come again, and nothing of it is an error of ours. A real dock. */
import assert from "node:assert/strict";
import { openDock } from "../../lib/ferry/dock.ts";
import { configureLog } from "../../lib/log.ts";
import { createApp } from "../../routes/app.ts";
import { Drain } from "../../routes/drain.ts";
import { silentServer } from "../support/silent_server.ts";

function setUp() {
  const lines: string[] = [];
  configureLog({ format: "text", level: "warning", write: (line) => lines.push(line) });
  const dock = openDock();
  const drain = new Drain();
  const app = createApp({ dock, drain, settings: { token: null, connections: new Map() } });
  const post = async (path: string, type: string, body: string): Promise<Response> =>
    await app.request(path, {
      method: "POST",
      headers: { host: "localhost", "content-type": type },
      body,
    });
  const fill = (fields: Record<string, string>) =>
    post("/ferries", "application/x-www-form-urlencoded", new URLSearchParams(fields).toString());
  return { dock, drain, lines, post, fill };
}

async function assertComeAgain(answer: Response, wanted: string): Promise<void> {
  const { code, retryable } = await answer.json();
  assert.deepEqual([answer.status, code, retryable], [503, wanted, true]);
  assert.equal(answer.headers.get("retry-after"), "5");
}

for (const place of ["the API", "the page"]) {
  Deno.test(`a look at both servers that the service's end cuts off is a 503: ${place}`, async () => {
    await using silent = silentServer();
    const { dock, drain, lines, post, fill } = setUp();
    const { url } = silent;
    const answer = place === "the API"
      ? post(
        "/v1/ferries?dryRun=true",
        "application/json",
        JSON.stringify({ source: url, target: url, tables: ["shop.*"] }),
      )
      : fill({ source: url, target: url, tables: "shop.*", do: "check" });
    await silent.asked;
    drain.stopWork();
    await assertComeAgain(await answer, "draining");
    assert.deepEqual(lines, []);
    await dock.close();
  });
}

Deno.test("a ferry that the page starts when the dock is closed is a 503 and no fault of the form", async () => {
  const { dock, lines, fill } = setUp();
  await dock.close();
  const url = "mysql://u:p@127.0.0.1:1";
  const answer = await fill({ source: url, target: url, tables: "shop.*", do: "start" });
  await assertComeAgain(answer, "shutting-down");
  assert.deepEqual(lines, []);
});
