// node bench/journal/million.ts <folder> fill <actors> | touch <actors> <hot>: run by the bench as a process of its own, whose memory is measured.
import { createRuntime } from "../../src/runtime/runtime.ts";
import { eventOf, orderMachine } from "./workload.ts";

const TOGETHER = 1000;

const [folder = "", work = "", actors = "0", hot = "0"] = process.argv.slice(2);
await using runtime = await createRuntime({ dir: folder, machines: [orderMachine], hotMax: Number(hot) || TOGETHER });
if (work === "fill") {
  for (let from = 0; from < Number(actors); from += TOGETHER)
    await Promise.all(
      Array.from({ length: TOGETHER }, (_, at) => runtime.spawn(orderMachine, { id: `order/${from + at}` })),
    );
} else {
  const step = Math.floor(Number(actors) / Number(hot));
  for (let from = 0; from < Number(hot); from += TOGETHER)
    await Promise.all(
      Array.from({ length: TOGETHER }, (_, at) =>
        runtime.actor(`order/${(from + at) * step}`, orderMachine).send(eventOf(at, 0)),
      ),
    );
  if (runtime.hot().length < Number(hot)) throw new Error(`only ${runtime.hot().length} actors are in memory`);
}
