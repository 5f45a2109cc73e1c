/**
 * A server that somebody else runs, named in the environment.
 * @module
 */
import { greeting } from "./greeting.ts";
import type { TestServer, Vendor } from "./test_server.ts";

/** The server whose address stands in `variable`; null when nothing stands there. */
export async function givenServer(vendor: Vendor, variable: string): Promise<TestServer | null> {
  const text = Deno.env.get(variable);
  if (!text) return null;
  const url = URL.parse(text);
  if (url?.protocol !== "mysql:") throw new Error(`${variable} is not a mysql:// URL`);
  const host = url.hostname;
  const port = Number(url.port || 3306);
  const stop = async () => {/* It is not ours to end. */};
  return {
    vendor,
    host,
    port,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    url: text,
    version: await greeting(host, port),
    pid: null,
    restart: () => Promise.reject(new Error(`the server of ${variable} is not ours to restart`)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
