/**
 * Asks servers over sessions that are kept: one for each kind of question to a server, so that a slow one keeps no other
 * waiting, and at most one of a kind is open.
 * @module
 */
import { describeServer, type Server } from "../mysql/server.ts";
import { type Row, Session } from "../mysql/session.ts";
import { parseConnectionUrl } from "../spec/connection_url.ts";

/** Milliseconds that connecting may take. */
const CONNECT_MS = 3000;
/** Milliseconds after which a server ends a question by itself: one that is left alone there would go on. */
const LIMIT_MS = 10_000;
/** Milliseconds after which nothing is expected of a session any more, and the next question gets another one. */
const GIVE_UP_MS = LIMIT_MS + CONNECT_MS;
/** Seconds after which a server closes a session over which nothing is asked any more. */
const IDLE_SECONDS = 60;

interface Line {
  readonly session: Session;
  readonly server: Server;
}

/** The sessions of one who asks. */
export class Asker {
  readonly #lines = new Map<string, Promise<Line>>();
  readonly #closing = new AbortController();

  /** Nothing is connected before {@linkcode ask}. `target`: the URL that messages call the target. */
  constructor(private readonly target: string) {}

  /** The rows that a statement answers. Statements of one `kind` to one server wait for one another. */
  async ask(
    url: string,
    kind: string,
    sql: string | ((server: Server) => string),
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    const { session, server } = await this.#line(url, kind);
    const gone = setTimeout(() => session.destroy(), GIVE_UP_MS);
    try {
      return await session.query(typeof sql === "string" ? sql : sql(server), values);
    } finally {
      clearTimeout(gone);
    }
  }

  /** Closes what was opened, for good; what is asked at this moment fails. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#lines.values());
  }

  /** One that was lost is opened again, once for all that ask. */
  async #line(url: string, kind: string): Promise<Line> {
    const key = `${url}\n${kind}`;
    const known = this.#lines.get(key);
    if (known !== undefined && await known.then((line) => line.session.usable, () => false)) {
      return await known;
    }
    let opening = this.#lines.get(key);
    // Else another question has found the same meanwhile, and begun.
    if (opening === undefined || opening === known) {
      opening = this.#open(url);
      this.#lines.set(key, opening);
    }
    return await opening;
  }

  async #open(url: string): Promise<Line> {
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort(), GIVE_UP_MS);
    let session: Session | null = null;
    try {
      session = await Session.open(parseConnectionUrl(url), {
        side: url === this.target ? "target" : "source",
        connectTimeout: CONNECT_MS,
        signal: AbortSignal.any([this.#closing.signal, gone.signal]),
      });
      const server = await describeServer(session);
      const limit = server.vendor === "mysql"
        ? `max_execution_time = ${LIMIT_MS}`
        : `max_statement_time = ${LIMIT_MS / 1000}`;
      await session.run(`SET SESSION wait_timeout = ${IDLE_SECONDS}, ${limit}`);
      return { session, server };
    } catch (e) {
      session?.destroy();
      throw e;
    } finally {
      clearTimeout(timer);
    }
  }
}
