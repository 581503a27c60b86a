import { Observable } from "rxjs";
import { allSteps } from "./explain.ts";
import type { Flow } from "./flow.ts";
import { isBatch } from "./flow.ts";
import type { Step } from "./step.ts";

/** Which input holds the watermark of an operator of several inputs back, from now on. */
export interface Diagnostic {
  /** The operator by its place, as in `explain`: `union(quiet, busy)`. */
  readonly place: string;
  /** Name of the input that the others wait for; undefined where none waits. */
  readonly waitsFor: string | undefined;
}

/**
 * Says which input holds the watermark back, each time that this changes, of every operator of several inputs before this place: `joined.pipe(
 * diagnostics({ next: ({ place, waitsFor }) => … }))`. Items pass as they are. It is told synchronously, within the push that changed it, and
 * how often depends on how rows arrive, so that it decides nothing. It completes, or fails, with the stream.
 */
export function diagnostics<F extends Flow>(observer: {
  next(diagnostic: Diagnostic): void;
  error?(error: unknown): void;
  complete?(): void;
}): (input: Observable<F>) => Observable<F> {
  return (input) =>
    new Observable<F>((out) =>
      input.subscribe({
        next: (item) => {
          if (!isBatch(item) && item.kind === "header")
            for (const step of allSteps(item.steps ?? [])) watch(step, observer);
          out.next(item);
        },
        error: (error: unknown) => {
          observer.error?.(error);
          out.error(error);
        },
        complete: () => {
          observer.complete?.();
          out.complete();
        },
      }),
    );
}

function watch(step: Step, observer: { next(diagnostic: Diagnostic): void }): void {
  if (step.inputs === undefined) return;
  step.watchers.push((waitsFor) => observer.next({ place: step.place, waitsFor }));
}
