import { parentPort, workerData } from "node:worker_threads";
import { InstanceKeeper } from "./instance-keeper.ts";
import type { FromWorker, ToWorker, Work, WorkerData } from "./lane-messages.ts";
import { MESSAGE_BYTES_MAX } from "./limits.ts";
import { runCall, type ThreadModule } from "./module-call.ts";

// The thread of a lane: it keeps compiled modules and runs one call at a time.
const { finished } = workerData as WorkerData;
const instances = new InstanceKeeper();
const modules = new Map<number, ThreadModule>();
const port = parentPort;
if (port === null) throw new Error("lane-worker runs as a worker thread");

port.on("message", (message: ToWorker) => {
  if (message.type === "module") {
    modules.set(message.module, message.content);
    return;
  }
  for (const { module, work } of message.calls) run(module, work);
});

function run(number: number, work: Work): void {
  const module = modules.get(number);
  if (module === undefined) throw new Error(`module ${number} was never sent`);
  const outcome = runCall(module, work, instances);
  Atomics.add(finished, 0, 1);
  const reply: FromWorker = { type: "outcome", outcome };
  const isMoved = outcome.type === "output" && outcome.bytes.byteLength > MESSAGE_BYTES_MAX;
  port?.postMessage(reply, isMoved ? [outcome.bytes] : []);
  // The caller need not wait for it.
  instances.giveBack(module, outcome.type === "output" || outcome.type === "abi");
}

const ready: FromWorker = { type: "ready" };
port.postMessage(ready);
