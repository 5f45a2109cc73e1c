/**
 * A server that takes connections and never says a word, as a database that hangs.
 * @module
 */

/** A listening port. */
export interface SilentServer extends AsyncDisposable {
  /** As a database's address. */
  readonly url: string;
  /** Resolves when somebody has connected; rejects when nobody has for 15 s. */
  readonly asked: Promise<void>;
}

/** Listens on loopback, on a free port or the one given. */
export function silentServer(port = 0): SilentServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const connections: Deno.Conn[] = [];
  const { promise: asked, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error("nobody has connected")), 15_000);
  asked.catch(() => {});
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      resolve();
    }
  })();
  return {
    url: `mysql://u:p@127.0.0.1:${listener.addr.port}`,
    asked,
    async [Symbol.asyncDispose]() {
      clearTimeout(late);
      listener.close();
      await accepting;
      for (const connection of connections) connection.close();
    },
  };
}
