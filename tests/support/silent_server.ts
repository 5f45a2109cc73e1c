/**
 * A server that takes connections and never says a word, as a database that hangs.
 * @module
 */

/** A listening port. */
export interface SilentServer extends AsyncDisposable {
  /** As a database's address. */
  readonly url: string;
  /** Resolves when somebody has connected. */
  readonly asked: Promise<void>;
}

/** Listens on loopback. */
export function silentServer(): SilentServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const { promise: asked, resolve } = Promise.withResolvers<void>();
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
      listener.close();
      await accepting;
      for (const connection of connections) connection.close();
    },
  };
}
