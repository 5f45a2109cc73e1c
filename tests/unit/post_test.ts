/**
 * A post over TLS, from a process that may do what the service may and no more.
 * @module
 */
import assert from "node:assert/strict";
import { certificateFor } from "../support/certificate.ts";

const POST = new URL("../../lib/progress/post.ts", import.meta.url);

Deno.test("over TLS a post goes to the address that was judged, takes only the name's certificate, and trusts what the process trusts", async () => {
  const seen: (string | null)[] = [];
  const certificate = await certificateFor("hooks.example");
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, ...certificate },
    async (request) => {
      seen.push(request.headers.get("host"), await request.text());
      return new Response(null, { status: 202 });
    },
  );
  const { port } = server.addr;
  const folder = await Deno.makeTempDir();
  try {
    const script = `${folder}/script.ts`;
    await Deno.writeTextFile(
      script,
      `import { post } from ${JSON.stringify(POST)};
      for (const name of ["hooks.example", "other.example"]) {
        const url = new URL(\`https://\${name}:${port}/\`);
        const what = { url, addresses: ["127.0.0.1"], headers: {}, body: "from " + name };
        console.log(await post(what, AbortSignal.timeout(10_000)).catch((e) => e.code ?? e.message));
      }`,
    );
    const run = async (trusted: Record<string, string>) => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", "--no-config", "--allow-net", "--allow-env", script],
        env: { NO_COLOR: "1", NODE_EXTRA_CA_CERTS: "", ...trusted },
        stderr: "inherit",
      }).output();
      return new TextDecoder().decode(stdout).trim().split("\n");
    };
    const cert = `${folder}/cert.pem`;
    await Deno.writeTextFile(cert, certificate.cert);
    for (const trusted of ["NODE_EXTRA_CA_CERTS", "DENO_CERT"]) {
      const [right, wrong] = await run({ [trusted]: cert });
      assert.deepEqual([right, wrong], ["202", "ERR_TLS_CERT_ALTNAME_INVALID"], trusted);
      assert.deepEqual(seen.splice(0), [`hooks.example:${port}`, "from hooks.example"]);
    }
    const [stranger] = await run({});
    assert.match(stranger, /^(DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/);
    assert.deepEqual(seen, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
