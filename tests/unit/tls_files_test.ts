/**
 * What is said of the files that a connection URL names, where they cannot be read.
 * @module
 */
import assert from "node:assert/strict";
import type { FerryError } from "../../lib/errors.ts";
import { Session } from "../../lib/mysql/session.ts";
import { reach } from "../../lib/preflight/servers.ts";
import type { Finding } from "../../lib/progress/resource.ts";
import { parseConnectionUrl } from "../../lib/spec/connection_url.ts";

const AT = parseConnectionUrl("mysql://u:hunter2@127.0.0.1:9?ssl-ca=/etc/no/ca.pem");

Deno.test({
  name: "a file that Deno may not read is told with the permission that it takes, as a finding too",
  permissions: { read: false },
  fn: async () => {
    const told = [
      "tls-file-unreadable",
      'Cannot read the file "/etc/no/ca.pem" that ssl-ca names: Deno was started without the permission',
      "Start with --allow-read=/etc/no/ca.pem",
    ];
    await assert.rejects(Session.open(AT, { side: "source" }), ({ code, message, hint }: FerryError) => {
      assert.deepEqual([code, message, hint], told);
      return true;
    });
    const findings: Finding[] = [];
    assert.equal(await reach(AT, "source", findings), null);
    assert.deepEqual(findings.map((f) => [f.code, f.detail, f.hint]), [told]);
  },
});

Deno.test("a file that is not there is told with its path", async () => {
  await assert.rejects(Session.open(AT, { side: "source" }), ({ code, message, hint }: FerryError) => {
    assert.equal(code, "tls-file-unreadable");
    assert.match(message, /^Cannot read the file "\/etc\/no\/ca\.pem" that ssl-ca names: No such file/);
    assert.equal(hint, "Check the path, and who may read the file");
    return true;
  });
});
