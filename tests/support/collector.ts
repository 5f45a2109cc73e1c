/**
 * A collector for OpenTelemetry on a port of its own: takes what a process exports over HTTP, as JSON or as protobuf, and
 * keeps it.
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";

/** One value as OTLP has it. */
type Value = { stringValue?: string; intValue?: string | number; doubleValue?: number; boolValue?: boolean };
interface Attribute {
  key: string;
  value: Value;
}

/** One span. */
export interface ExportedSpan {
  name: string;
  scope: string;
  traceId: string;
  spanId: string;
  /** Empty for a root. */
  parentSpanId: string;
  startMs: number;
  endMs: number;
  attributes: Record<string, string | number | boolean>;
  /** 0 unset, 1 ok, 2 error. */
  status: { code: number; message: string };
}

/** One log record. */
export interface ExportedLog {
  severity: string;
  body: string;
  traceId: string;
  spanId: string;
}

/** Listens until it is disposed. */
export class Collector implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #bodies = new Map<string, string[]>();
  readonly #protobufs = new Map<string, Buffer[]>();
  /** The `authorization` of what asked for `/ready`. */
  readonly asked: (string | null)[] = [];

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/ready") {
        this.asked.push(request.headers.get("authorization"));
        return new Response();
      }
      if (request.headers.get("content-type") === "application/x-protobuf") {
        const bodies = this.#protobufs.get(pathname) ?? [];
        bodies.push(Buffer.from(await request.arrayBuffer()));
        this.#protobufs.set(pathname, bodies);
        return new Response(new Uint8Array(), { headers: { "content-type": "application/x-protobuf" } });
      }
      assert.equal(request.headers.get("content-type"), "application/json");
      const bodies = this.#bodies.get(pathname) ?? [];
      bodies.push(await request.text());
      this.#bodies.set(pathname, bodies);
      return Response.json({});
    });
  }

  /** `127.0.0.1:port`. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** What a process needs in its environment to export to it. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${this.host}`,
      OTEL_SERVICE_NAME: "chainferry",
    };
  }

  /** Everything that was exported, as it came. */
  get text(): string {
    return [...this.#bodies.values()].flat().join("\n");
  }

  /** The kinds of what came: `/v1/traces`, `/v1/logs`, `/v1/metrics`. */
  get paths(): string[] {
    return [...this.#bodies.keys()].sort();
  }

  /** Whether a span of that name came as protobuf, which is what a process exports where nobody names a form. */
  cameAsProtobuf(name: string): boolean {
    // Field 5 of a Span is its name: opentelemetry/proto/trace/v1/trace.proto.
    const field = Buffer.from(`\x2a${String.fromCharCode(name.length)}${name}`, "latin1");
    return (this.#protobufs.get("/v1/traces") ?? []).some((body) => body.includes(field));
  }

  /** The spans that came as JSON. */
  get spans(): ExportedSpan[] {
    return this.#read(
      "/v1/traces",
      (body) =>
        body.resourceSpans.flatMap((resource: Json) =>
          resource.scopeSpans.flatMap((scope: Json) =>
            scope.spans.map((span: Json): ExportedSpan => ({
              name: span.name,
              scope: scope.scope.name,
              traceId: span.traceId,
              spanId: span.spanId,
              parentSpanId: span.parentSpanId,
              startMs: Number(span.startTimeUnixNano) / 1e6,
              endMs: Number(span.endTimeUnixNano) / 1e6,
              attributes: readAttributes(span.attributes),
              status: { code: span.status.code ?? 0, message: span.status.message ?? "" },
            }))
          )
        ),
    );
  }

  /** The log records that came. */
  get logs(): ExportedLog[] {
    return this.#read(
      "/v1/logs",
      (body) =>
        body.resourceLogs.flatMap((resource: Json) =>
          resource.scopeLogs.flatMap((scope: Json) =>
            scope.logRecords.map((record: Json): ExportedLog => ({
              severity: record.severityText,
              body: record.body.stringValue,
              traceId: record.traceId,
              spanId: record.spanId,
            }))
          )
        ),
    );
  }

  #read<T>(path: string, read: (body: Json) => T[]): T[] {
    return (this.#bodies.get(path) ?? []).flatMap((body) => read(JSON.parse(body)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

// deno-lint-ignore no-explicit-any
type Json = any;

function readAttributes(attributes: Attribute[]): ExportedSpan["attributes"] {
  return Object.fromEntries(attributes.map(({ key, value }) => {
    const { stringValue, intValue, doubleValue, boolValue } = value;
    return [key, stringValue ?? boolValue ?? Number(intValue ?? doubleValue)];
  }));
}
