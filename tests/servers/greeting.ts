/**
 * The first packet of a server, which it sends unasked: the cheapest proof that it is up, without a driver.
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";

/** Connects and returns the version that the server greets with. */
export async function greeting(host: string, port: number): Promise<string> {
  using connection = await Deno.connect({ hostname: host, port });
  const bytes = new Uint8Array(512);
  let end = 0;
  // Four bytes of header, one of protocol, then the version, closed by a zero.
  for (;;) {
    const zero = bytes.subarray(0, end).indexOf(0, 5);
    if (end > 5 && bytes[4] !== 10) throw new Error(`${host}:${port} does not greet as MySQL does`);
    // MariaDB 10 puts a MySQL version before its own, for replicas of old.
    if (zero > 5) return new TextDecoder().decode(bytes.subarray(5, zero)).replace(/^5\.5\.5-/, "");
    const n = await connection.read(bytes.subarray(end));
    if (!n) throw new Error(`${host}:${port} closed the connection instead of greeting`);
    end += n;
  }
}

/** As `greeting`, again and again until it comes. */
export async function waitForGreeting(host: string, port: number, withinMs: number): Promise<string> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await greeting(host, port);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

/** A port of the loopback that nobody listens on at this moment. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
