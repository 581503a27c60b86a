import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { IpdmError } from "../../core/errors.ts";

/** Port of `--metrics` without a number: where OpenTelemetry's exporter for Prometheus listens, too. */
export const METRICS_PORT = 9464;
/** Names by which the loopback interface is asked for; others would be a page in a browser that was led here. */
const OWN_HOSTS = new Set(["127.0.0.1", "localhost", "[::1]"]);
const HEADERS_MS = 5000;

/** Serves `GET /metrics` on 127.0.0.1, and nothing else. */
export class MetricsServer {
  readonly url: string;
  private readonly server: Server;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.url = `http://127.0.0.1:${port}/metrics`;
  }

  /** `text` is asked for with every request. Port 0 takes any that is free. Throws `METRICS_UNAVAILABLE` (kind `usage`). */
  static async open(port: number, text: () => string): Promise<MetricsServer> {
    const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: HEADERS_MS }, (request, response) =>
      answer(request, response, text),
    );
    try {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new IpdmError("METRICS_UNAVAILABLE", `metrics cannot be served on port ${port}: ${code ?? message}`, {
        kind: "usage",
        where: `127.0.0.1:${port}`,
        hint: "give another port, or 0 for any that is free: --metrics 0",
        cause,
      });
    }
    // Whoever reads metrics does not keep a run from ending.
    server.unref();
    return new MetricsServer(server, (server.address() as { readonly port: number }).port);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

function answer({ method, url, headers }: IncomingMessage, response: ServerResponse, text: () => string): void {
  const host = (headers.host ?? "").replace(/:\d+$/, "");
  const status = !OWN_HOSTS.has(host)
    ? 403
    : url !== "/metrics"
      ? 404
      : method !== "GET" && method !== "HEAD"
        ? 405
        : 200;
  const body = status === 200 ? text() : "";
  response.writeHead(status, {
    "content-type": "text/plain; version=0.0.4; charset=utf-8",
    "cache-control": "no-store",
  });
  response.end(method === "HEAD" ? "" : body);
}
