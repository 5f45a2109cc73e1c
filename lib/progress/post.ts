/**
 * One HTTP POST to an address that was looked at before. A `fetch` looks a name up itself, and may be told another address
 * than whoever has judged it.
 * @module
 */
import http, { type RequestOptions } from "node:http";
import https from "node:https";
import { isIPv6, type LookupFunction } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { urlToHttpOptions } from "node:url";

/** What is posted. */
export interface Post {
  /** An `http:` or `https:` URL; a name in it goes into `Host`, and into the TLS handshake. */
  readonly url: URL;
  /** Where to, in place of what the name is looked up to be. */
  readonly addresses: readonly string[];
  /** Headers beside those of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body: string;
}

/**
 * Posts it and returns the status; redirects are not followed, what the answer holds is not read. Throws what kept it from
 * being answered, or the reason that `signal` aborts with.
 */
export async function post({ url, addresses, headers, body }: Post, signal: AbortSignal): Promise<number> {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  const lookup: LookupFunction = (_host, { all }, done) =>
    all ? done(null, found) : done(null, found[0].address, found[0].family);
  const secure = url.protocol === "https:";
  const options: RequestOptions = {
    ...urlToHttpOptions(url),
    method: "POST",
    headers: { ...headers, "content-length": new TextEncoder().encode(body).length },
    lookup,
    // Kept open, a connection would outlive what it was looked up for.
    agent: secure ? new TlsAgent() : false,
  };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = (secure ? https : http).request(options, (answer) => {
    resolve(answer.statusCode!);
    answer.destroy();
  });
  const onAbort = () => {
    reject(signal.reason);
    request.destroy();
  };
  request.on("error", reject);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  else request.end(body);
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Deno's own agent reads the certificates of `NODE_EXTRA_CA_CERTS` once more, which takes a permission that the service has
 * not; a socket knows them already.
 */
class TlsAgent extends https.Agent {
  override createConnection(options: ConnectionOptions): TLSSocket {
    return connect(options);
  }
}
