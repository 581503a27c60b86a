import { flushCompileCache } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import { InstanceKeeper } from "./instance-keeper.ts";
import type { FromWorker, Outcome, ThreadCall, ToWorker, WorkerData } from "./lane-messages.ts";
import { MESSAGE_BYTES_MAX } from "./limits.ts";
import type { ThreadModule } from "./module-call.ts";
import { runCall } from "./module-call.ts";
import { ThreadSession } from "./state/thread-session.ts";

// The thread of a lane: it keeps compiled modules and the sessions of stateful ones, and runs one call at a time.
const { finished } = workerData as WorkerData;
const instances = new InstanceKeeper();
const modules = new Map<number, ThreadModule>();
const sessions = new Map<number, ThreadSession>();
const port = parentPort;
if (port === null) throw new Error("lane-worker runs as a worker thread");

port.on("message", (message: ToWorker) => {
  switch (message.type) {
    case "module":
      modules.set(message.module, message.content);
      return;
    case "open":
      sessions.set(message.session, new ThreadSession(moduleOf(message.module), message.image));
      return;
    case "close":
      sessions.delete(message.session);
      return;
    default:
      for (const call of message.calls) run(call);
  }
});

function run(call: ThreadCall): void {
  const outcome = outcomeOf(call);
  Atomics.add(finished, 0, 1);
  const reply: FromWorker = { type: "outcome", outcome };
  const isMoved = outcome.type === "output" && outcome.bytes.byteLength > MESSAGE_BYTES_MAX;
  port?.postMessage(reply, isMoved ? [outcome.bytes] : []);
  // The caller need not wait for it.
  if (call.session === null)
    instances.giveBack(moduleOf(call.module), outcome.type === "output" || outcome.type === "abi");
}

function outcomeOf({ module, session, work }: ThreadCall): Outcome {
  const open = session === null ? undefined : sessions.get(session);
  if (open !== undefined && work.type === "process") return open.call(work);
  if (open !== undefined && work.type === "save") return open.save();
  if (work.type === "save" || session !== null) throw new Error(`session ${session} was never opened`);
  return runCall(moduleOf(module), work, instances);
}

function moduleOf(number: number): ThreadModule {
  const module = modules.get(number);
  if (module === undefined) throw new Error(`module ${number} was never sent`);
  return module;
}

const ready: FromWorker = { type: "ready" };
port.postMessage(ready);
// A thread is ended, it does not end: what it compiled is kept now.
flushCompileCache();
