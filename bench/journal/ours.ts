import { createRuntime } from "../../src/runtime/runtime.ts";
import type { Open } from "./subject.ts";
import { orderMachine } from "./workload.ts";

/** Durable actors of this package: transition, journal entry by CID, group commit, one sync. */
export const ours: Open = async (folder, actors) => {
  const runtime = await createRuntime({ dir: folder, machines: [orderMachine] });
  const handles = await Promise.all(
    Array.from({ length: actors }, (_, at) => runtime.spawn(orderMachine, { id: `order/${at}` })),
  );
  return {
    send: (actor, event) => handles[actor]?.send(event) ?? Promise.reject(new Error(`no actor ${actor}`)),
    [Symbol.asyncDispose]: () => runtime.close(),
  };
};
