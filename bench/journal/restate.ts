import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type AnyMachineSnapshot, initialTransition, transition } from "xstate";
import { peer, peerFile } from "./peers.ts";
import type { Open } from "./subject.ts";
import { type OrderEvent, orderMachine } from "./workload.ts";

interface Sdk {
  object(definition: object): unknown;
  createEndpointHandler(options: { readonly services: readonly unknown[] }): (...args: never[]) => void;
}
interface ObjectContext {
  get(name: string): Promise<Stored | null>;
  set(name: string, value: Stored): void;
}
interface Stored {
  readonly value: unknown;
  readonly context: unknown;
}

const READY_MS = 60_000;

/**
 * Restate's server from npm with a virtual object that does the same transition and keeps its state. Requests reach it through
 * HTTP over a Unix socket, it reaches the handler through HTTP/2 on loopback, and has a process of its own. `undefined` where it is not installed.
 */
export async function restate(): Promise<Open | undefined> {
  process.env["RESTATE_LOGGING"] ??= "ERROR"; // a line for every invocation would be measured too
  const binary = peerFile("@restatedev", `restate-server-${process.platform}-${process.arch}`, "bin", "restate-server");
  const sdk = (await peer("@restatedev/restate-sdk", "dist/index.js")) as Sdk | undefined;
  if (binary === undefined || sdk === undefined) return undefined;
  return async (folder, actors) => {
    const handler = await serve(sdk);
    const server = spawn(binary, ["--listen-mode", "unix", "--no-logo", "--node-name", "bench"], {
      cwd: folder,
      stdio: "ignore",
      env: { ...process.env, RESTATE_BASE_DIR: folder, RESTATE_DISABLE_TELEMETRY: "true", RESTATE_LOG_FILTER: "error" },
    });
    const { port } = handler.address() as AddressInfo;
    const admin = await socketOf(join(folder, "bench", "admin.sock"), "/health", server);
    await post(new Agent(), admin, "/deployments", { uri: `http://127.0.0.1:${port}` });
    const ingress = await socketOf(join(folder, "bench", "ingress.sock"), "/restate/health", server);
    const agent = new Agent({ keepAlive: true, maxSockets: actors });
    return {
      send: (actor, event) => post(agent, ingress, `/order/${actor}/next`, event),
      [Symbol.asyncDispose]: async () => {
        agent.destroy();
        server.kill("SIGKILL");
        await once(server, "exit");
        handler.close();
      },
    };
  };
}

async function serve(sdk: Sdk): Promise<Http2Server> {
  const order = sdk.object({
    name: "order",
    handlers: {
      next: async (context: ObjectContext, event: OrderEvent) => {
        const stored = await context.get("state");
        const before =
          stored === null
            ? initialTransition(orderMachine)[0]
            : (orderMachine.resolveState(stored as never) as AnyMachineSnapshot);
        const [after] = transition(orderMachine, before as never, event);
        context.set("state", { value: after.value, context: after.context });
      },
    },
  });
  const server = createServer(sdk.createEndpointHandler({ services: [order] }) as never);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function socketOf(socketPath: string, health: string, server: ChildProcess): Promise<string> {
  const until = performance.now() + READY_MS;
  while (performance.now() < until && server.exitCode === null) {
    if (existsSync(socketPath) && (await answers(socketPath, health))) return socketPath;
    await pause(100);
  }
  throw new Error(`Restate did not begin to listen at ${socketPath}`);
}

async function answers(socketPath: string, path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const asked = request({ socketPath, path }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on("error", () => resolve(false)).end();
  });
}

async function post(agent: Agent, socketPath: string, path: string, body: unknown): Promise<void> {
  const text = JSON.stringify(body);
  await new Promise<void>((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
    const asked = request({ agent, socketPath, path, method: "POST", headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on("data", (part: Buffer) => parts.push(part));
      answer.on("end", () => {
        if ((answer.statusCode ?? 500) < 300) resolve();
        else reject(new Error(`${path}: ${answer.statusCode} ${Buffer.concat(parts).toString()}`));
      });
    });
    asked.on("error", reject);
    asked.end(text);
  });
}
