import { IN_FLIGHT_MAX } from "./limits.ts";
import type { Call, Processed } from "./port.ts";

/** What calls come to, in their order, a few of them under way at any time. */
export async function* inOrder(
  calls: Iterable<Call> | AsyncIterable<Call>,
  run: (call: Call) => Promise<Processed>,
  window = 2 * IN_FLIGHT_MAX,
): AsyncIterable<Processed> {
  const pending: Promise<Processed>[] = [];
  for await (const call of calls) {
    const output = run(call);
    // It is awaited in its turn; until then a failure is no unhandled rejection.
    output.catch(() => undefined);
    pending.push(output);
    if (pending.length > window) yield (await pending.shift()) as Processed;
  }
  for (const output of pending) yield await output;
}
