import { enqueueActions } from "xstate";

/** What a machine asks its actor for: a name and plain data. */
export interface MachineRequest {
  readonly type: string;
  readonly params: object;
}

/** The context after an event, and what the event makes the machine ask for. */
export interface Step<Context, Request extends MachineRequest = MachineRequest> {
  readonly context: Context;
  readonly requests: readonly Request[];
}

/**
 * Makes a named XState action of a step function: its context is assigned, its requests become actions of their own name
 * that carry their data. XState's types for `enqueueActions` follow the machine it stands in, which a function that serves
 * all machines cannot name; the cast says the one thing that matters outside: it is an action.
 */
export function stepAction<Context, Event>(
  advance: (context: Context, event: Event) => Step<Partial<Context>>,
): () => void {
  const action = enqueueActions(({ context, event, enqueue }) => {
    const next = advance(context as Context, event as Event);
    enqueue.assign(() => next.context as never);
    for (const request of next.requests) enqueue(request as never);
  });
  return action as unknown as () => void;
}
