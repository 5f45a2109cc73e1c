import assert from "node:assert/strict";
import { refusal } from "../../lib/ferry/refusal.ts";
import { inform, refuse } from "../../lib/preflight/finding.ts";

const found = (...codes: string[]) => codes.map((code) => refuse(code, "", "", ""));

Deno.test("under way a server that is away, or is lost amid the preflight, is no reason to give up", () => {
  assert.equal(refusal("f", [inform("source-unreachable", "", "", "")], true), null);
  for (
    const code of [
      "source-unreachable",
      "target-unreachable",
      "source-connection-lost",
      "target-connection-lost",
    ]
  ) {
    assert.equal(refusal("f", found(code), true)?.retryable, true, code);
    assert.equal(refusal("f", found(code), false)?.retryable, false, `${code}, at the start`);
    assert.equal(refusal("f", found(code, "no-key"), true)?.retryable, false, `${code}, and more`);
  }
});
