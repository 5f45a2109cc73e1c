import assert from "node:assert/strict";
import { getLogger, withContext } from "@logtape/logtape";
import { configureLog } from "../../lib/log.ts";
import { logEvent } from "../../lib/progress/log_lines.ts";

const URL_WITH_SECRET = "mysql://u:hunter2@h:3306";

function logLines(format: "text" | "json", log: () => void): string[] {
  const lines: string[] = [];
  configureLog({ format, write: (line) => lines.push(line) });
  log();
  return lines;
}

Deno.test("a JSON line is one object with its message readable and the ferry of its context", () => {
  const [line] = logLines(
    "json",
    () =>
      withContext(
        { ferry: "a1" },
        () => getLogger(["chainferry", "copy"]).info("Copied {table}", { table: "shop.x" }),
      ),
  );
  assert(line.endsWith("\n"));
  const { message, ferry, table, level, logger } = JSON.parse(line);
  assert.deepEqual({ message, ferry, table, level, logger }, {
    message: "Copied shop.x",
    ferry: "a1",
    table: "shop.x",
    level: "INFO",
    logger: "chainferry.copy",
  });
});

Deno.test("a text line shows what its message leaves out, and nothing twice", () => {
  const [line] = logLines(
    "text",
    () => getLogger(["chainferry"]).with({ ferry: "a1" }).warn("Lost {host}", { host: "db" }),
  );
  assert.match(line, /^\S+ \[warning\] chainferry: Lost db ferry="a1"\n$/);
});

Deno.test("a text of others makes no line of its own and orders no terminal about, and JSON keeps it", () => {
  const text = "Cannot copy\x1b[2J\x9b1m\r\n2026-11-28T06:00:00.000Z [info] chainferry: all is well";
  const log = () => {
    logEvent("a1", "log", { text });
    getLogger(["chainferry"]).warning("Lost {host}", { host: text, seen: `${text}\x7f` });
  };
  for (const line of logLines("text", log)) {
    assert.deepEqual(line.match(/\p{Cc}/gu), ["\n"], JSON.stringify(line));
    assert.match(line, /Cannot copy.*all is well/);
  }
  assert.deepEqual(logLines("json", log).map((line) => JSON.parse(line).message), [text, `Lost ${text}`]);
});

Deno.test("no line shows a password, wherever a URL stands in it", () => {
  const log = () => {
    const logger = getLogger(["chainferry"]);
    const error = Object.assign(
      new Error(`no route to ${URL_WITH_SECRET}`, { cause: new Error(URL_WITH_SECRET) }),
      {
        config: { password: "hunter2" },
      },
    );
    logger.error("Cannot go on: {error}", { error });
    logger.error(`Cannot reach ${URL_WITH_SECRET}`, {
      list: [URL_WITH_SECRET],
      nested: { url: URL_WITH_SECRET },
    });
    logger.error`Cannot reach ${URL_WITH_SECRET} after ${3n}`;
  };
  for (const format of ["text", "json"] as const) {
    const lines = logLines(format, log);
    assert.equal(lines.length, 3);
    assert.match(lines[0], /no route to mysql:\/\/u:\*\*\*@h:3306/);
    assert.doesNotMatch(lines.join(""), /hunter2/);
  }
});

Deno.test("lines below the level are left out", () => {
  assert.deepEqual(logLines("text", () => getLogger(["chainferry", "http"]).debug("probe")), []);
});

Deno.test("a ferry's event is a line with its id and its words as they are; a failure is an error with its code", () => {
  const lines = logLines("json", () => {
    logEvent("a1", "log", { text: 'The throttle is now: {"maxLagSeconds":5}', code: null });
    logEvent("a1", "log", { text: "Copying waits: x is 2, above 1", code: "throttled" });
    logEvent("a1", "state", { text: "Ready to cut over", state: "awaitingCutover", error: null });
    logEvent("a1", "failed", {
      text: `Stopped: ${URL_WITH_SECRET}`,
      state: "failed",
      error: { code: "no-key" },
    });
  }).map((line) => {
    const { "@timestamp": _, logger, ...rest } = JSON.parse(line);
    assert.equal(logger, "chainferry.ferry");
    return rest;
  });
  assert.deepEqual(lines, [
    { level: "INFO", message: 'The throttle is now: {"maxLagSeconds":5}', ferry: "a1" },
    { level: "INFO", message: "Copying waits: x is 2, above 1", ferry: "a1", code: "throttled" },
    { level: "INFO", message: "Ready to cut over", ferry: "a1", state: "awaitingCutover" },
    {
      level: "ERROR",
      message: "Stopped: mysql://u:***@h:3306",
      ferry: "a1",
      state: "failed",
      code: "no-key",
    },
  ]);
});

Deno.test("a command that tells a ferry's events itself leaves them out of its log, and nothing else", () => {
  const lines: string[] = [];
  configureLog({ format: "text", ferries: false, write: (line) => lines.push(line) });
  logEvent("a1", "failed", { text: "Stopped", error: { code: "no-key" } });
  getLogger(["chainferry", "callbacks"]).warning("Cannot post", { ferry: "a1" });
  assert.equal(lines.length, 1);
  assert.match(lines[0], /Cannot post ferry="a1"/);
});
