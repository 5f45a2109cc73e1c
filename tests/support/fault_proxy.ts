/**
 * A TCP proxy between a program and a server that does what networks do: cuts, refuses, falls silent, lags.
 * @module
 */
import { connect, createServer, type Server, type Socket } from "node:net";

/** Two sockets and the lanes between them. */
interface Link {
  client: Socket;
  upstream: Socket;
  lanes: Lane[];
}

/** One direction: pieces in their order, each no sooner than it is due. */
class Lane {
  #waiting: { due: number; what: () => void }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly held: () => boolean) {}

  push(what: () => void, delayMs: number): void {
    this.#waiting.push({ due: performance.now() + delayMs, what });
    this.run();
  }

  run(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0 && !this.held()) {
      const ms = this.#waiting[0].due - performance.now();
      if (ms > 0) {
        this.#timer = setTimeout(() => this.run(), ms);
        return;
      }
      this.#waiting.shift()?.what();
    }
  }

  drop(): void {
    this.#waiting = [];
    clearTimeout(this.#timer);
  }
}

/** Listens on a loopback port of its own and passes all on to one server, until told otherwise. */
export class FaultProxy implements AsyncDisposable {
  /** The port to connect to, in the server's place. */
  readonly port: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  /** Sockets that have not told of their end yet: disposing waits for them. */
  readonly #closing = new Set<Promise<void>>();
  #refusing = false;
  #silent = false;
  #delayMs = 0;
  /** Bytes from the server that may still pass; null for any number. */
  #bytesLeft: number | null = null;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Opens a proxy to a server. */
  static async open(host: string, port: number): Promise<FaultProxy> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve());
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port to listen on");
    const proxy = new FaultProxy(server, address.port);
    server.on("connection", (client) => proxy.#accept(client, host, port));
    return proxy;
  }

  /** How many connections pass through at this moment. */
  get connections(): number {
    return this.#links.size;
  }

  /** A server's URL with the proxy's address in it. */
  url(original: string): string {
    const url = new URL(original);
    url.hostname = "127.0.0.1";
    url.port = String(this.port);
    return url.href;
  }

  /** Resets all connections that pass through; new ones are welcome. */
  cut(): void {
    for (const link of [...this.#links]) this.#reset(link);
  }

  /** Whether new connections are closed at once. Those that pass through stay. */
  refuse(on: boolean): void {
    this.#refusing = on;
  }

  /** Whether bytes stop flowing, both ways, while the sockets stay open. What waited flows when it is lifted. */
  blackhole(on: boolean): void {
    this.#silent = on;
    for (const { client, upstream, lanes } of this.#links) {
      for (const socket of [client, upstream]) on ? socket.pause() : socket.resume();
      for (const lane of lanes) lane.run();
    }
  }

  /** Milliseconds by which every piece is late, in each direction; order is kept. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Passes `n` more bytes from the server, over all connections, then resets all of them. Once. */
  cutAfterBytes(n: number): void {
    this.#bytesLeft = n;
  }

  /** Cuts all and stops listening. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#refusing = true;
    this.cut();
    await closed;
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  #accept(client: Socket, host: string, port: number): void {
    if (this.#refusing) {
      this.#watch(client);
      client.on("error", () => {});
      client.destroy();
      return;
    }
    const upstream = connect({ host, port, allowHalfOpen: true });
    const link: Link = { client, upstream, lanes: [] };
    this.#links.add(link);
    for (const socket of [client, upstream]) {
      this.#watch(socket);
      socket.setNoDelay(true);
      socket.on("error", () => this.#reset(link));
      if (this.#silent) socket.pause();
    }
    this.#pass(link, client, upstream, false);
    this.#pass(link, upstream, client, true);
  }

  #pass(link: Link, from: Socket, to: Socket, counted: boolean): void {
    const lane = new Lane(() => this.#silent);
    link.lanes.push(lane);
    from.on("data", (bytes) => {
      const room = this.#bytesLeft;
      const last = counted && room !== null && room <= bytes.length;
      const piece = last ? bytes.subarray(0, room) : bytes;
      if (counted && room !== null) this.#bytesLeft = last ? null : room - bytes.length;
      lane.push(() => {
        if (to.destroyed) return;
        // The other side's pace is this side's: the proxy is no buffer.
        if (!to.write(piece, () => last && this.cut()) && !last) {
          from.pause();
          to.once("drain", () => this.#silent || from.resume());
        }
      }, this.#delayMs);
    });
    from.on("end", () => lane.push(() => to.end(), this.#delayMs));
    from.on("close", () => {
      // A close without an end is a break, and is passed on as one; after both ends the link is over.
      if (!from.readableEnded || to.destroyed) this.#reset(link);
    });
  }

  #reset(link: Link): void {
    this.#links.delete(link);
    for (const lane of link.lanes) lane.drop();
    for (const socket of [link.client, link.upstream]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #watch(socket: Socket): void {
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    this.#closing.add(closed);
    closed.then(() => this.#closing.delete(closed));
  }
}
