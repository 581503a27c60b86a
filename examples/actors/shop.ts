// Runs an order. Kill it at any moment and start it again: it goes on where it was.
import { createRuntime } from "ipdm-runtime/actors";
import { order } from "./orders.ts";

const dir = process.argv[2] ?? "shop-data";
await using runtime = await createRuntime({ dir, machines: [order] });

const first = await runtime.spawn(order, { id: "order-1", input: { customer: "ann@example.org" } });
if ((await first.snapshot()).value === "open") {
  const { outcomes } = await first.ask({ type: "pay", cents: 1999 }); // resolves when the charge has an outcome
  console.log(`charged: ${outcomes.length} outcome`);
}
await first.until(({ value, status }) => value === "shipping" || status === "done");

const { box } = await first.children();
if (box !== undefined) {
  const parcel = runtime.actor(box);
  while ((await parcel.snapshot()).status === "active") await parcel.send({ type: "scan" });
}

const { output } = await first.until(({ status }) => status === "done");
console.log(`order-1 is over: ${output?.why}, ${output?.paid} cents`);
await first.settled();
for await (const { seq, event } of first.events()) {
  console.log(`${seq} ${event.type}`);
  if (seq === (await first.snapshot()).seq) break;
}
