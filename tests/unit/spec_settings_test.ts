import assert from "node:assert/strict";
import { readSettings, refusalToServe, type Settings } from "../../lib/spec/settings.ts";

function settingsOf(environment: Record<string, string>, flags = {}): Settings {
  const reading = readSettings(environment, flags);
  assert("settings" in reading, JSON.stringify(reading));
  return reading.settings;
}

Deno.test("an empty environment gives the defaults, and a variable set to nothing counts as not set", () => {
  const defaults = {
    host: "127.0.0.1",
    port: 8080,
    token: null,
    stateSchema: "_ferry",
    leaseSeconds: 10,
    callbackSecret: null,
    callbackLinkLocal: false,
    log: "text",
    connections: new Map(),
  };
  assert.deepEqual(settingsOf({}), defaults);
  assert.deepEqual(settingsOf({ PORT: "", HOST: "", FERRY_TOKEN: "", FERRY_CONNECTION_A: "" }), defaults);
});

Deno.test("a flag wins over a variable", () => {
  const environment = { PORT: "9000", HOST: "::1", FERRY_LOG: "json", FERRY_LEASE_SECONDS: "3" };
  assert.equal(settingsOf(environment).port, 9000);
  const { host, port, log, leaseSeconds } = settingsOf(environment, { port: "9001", host: "localhost" });
  assert.deepEqual({ host, port, log, leaseSeconds }, {
    host: "localhost",
    port: 9001,
    log: "json",
    leaseSeconds: 3,
  });
  const told = settingsOf({ FERRY_CALLBACK_SECRET: "hush", FERRY_CALLBACK_LINK_LOCAL: "1" });
  assert.deepEqual([told.callbackSecret, told.callbackLinkLocal], ["hush", true]);
});

Deno.test("connections are known by one way of writing their names", () => {
  const { connections } = settingsOf({
    FERRY_CONNECTION_SHOP_EU: "mysql://u:p@eu",
    FERRY_CONNECTION_us: "mysql://u:p@us",
  });
  assert.deepEqual([...connections.keys()].sort(), ["shop-eu", "us"]);
});

Deno.test("everything that is wrong is told at once, and no value that is secret", () => {
  const reading = readSettings({
    PORT: "70000",
    FERRY_TOKEN: "hunter2 with spaces",
    FERRY_STATE_SCHEMA: "a.b",
    FERRY_LEASE_SECONDS: "0",
    FERRY_LOG: "xml",
    FERRY_CONNECTION_A: "mysql://u:hunter2@h/db",
    FERRY_CONNECTION_B_C: "mysql://u:p@h",
    "FERRY_CONNECTION_b-c": "mysql://u:p@h",
  });
  assert("faults" in reading);
  const text = reading.faults.join("\n");
  for (
    const name of ["PORT", "TOKEN", "STATE_SCHEMA", "LEASE_SECONDS", "FERRY_LOG", "CONNECTION_A", "twice"]
  ) {
    assert.match(text, new RegExp(name));
  }
  assert.equal(reading.faults.length, 7);
  assert.doesNotMatch(text, /hunter2/);
});

Deno.test("only loopback is served without a token", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"]) {
    assert.equal(refusalToServe(settingsOf({ HOST: host })), null, host);
  }
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "example.com", "127.0.0.1.example.com"]) {
    assert.match(String(refusalToServe(settingsOf({ HOST: host }))), /FERRY_TOKEN/, host);
    assert.equal(refusalToServe(settingsOf({ HOST: host, FERRY_TOKEN: "t" })), null);
  }
});
