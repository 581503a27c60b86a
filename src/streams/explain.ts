import type { Observable } from "rxjs";
import type { Flow } from "./flow.ts";
import { isBatch } from "./flow.ts";
import type { Counters, Step } from "./step.ts";

/** A pipeline for people, and its operators with their counters. */
export interface Explanation {
  /** One line an operator, inputs of joins indented before them. */
  readonly text: string;
  /** A flow chart in the language of Mermaid. */
  readonly mermaid: string;
  readonly steps: readonly Step[];
}

/**
 * Says what a pipeline does, without reading its input: it subscribes, takes the description that comes first, and leaves. A stream that
 * begins with rows and has no description explains nothing.
 */
export async function explain(stream: Observable<Flow>): Promise<Explanation> {
  const steps = await new Promise<readonly Step[]>((resolve, reject) => {
    let isDone = false;
    const done = (found: readonly Step[]): void => {
      isDone = true;
      subscription?.unsubscribe();
      resolve(found);
    };
    let subscription: { unsubscribe(): void } | undefined;
    subscription = stream.subscribe({
      next: (item) => {
        if (!isDone) done(isBatch(item) || item.kind !== "header" ? [] : (item.steps ?? []));
      },
      error: reject,
      complete: () => done([]),
    });
    if (isDone) subscription.unsubscribe();
  });
  return explained(steps);
}

/** Says what steps do: those of a header. */
export function explained(steps: readonly Step[]): Explanation {
  return { text: textOf(steps, "").join("\n"), mermaid: mermaidOf(steps), steps };
}

/** Every operator of a pipeline, those before joins included, in the order of the text. */
export function allSteps(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [...Object.values(step.inputs ?? {}).flatMap(allSteps), step]);
}

/** Counters of every operator by its place: numbers of this moment, which `structuredClone` and logs can take. */
export function countersOf(steps: readonly Step[]): Readonly<Record<string, Counters>> {
  return Object.fromEntries(allSteps(steps).map(({ place, counters }) => [place, { ...counters }]));
}

function textOf(steps: readonly Step[], indent: string): string[] {
  return steps.flatMap((step) => {
    const inputs = Object.entries(step.inputs ?? {}).flatMap(([name, before]) => [
      `${indent}  ${name}:`,
      ...textOf(before, `${indent}    `),
    ]);
    return [...inputs, `${indent}${step.place}${step.detail === "" ? "" : `: ${step.detail}`}`];
  });
}

function mermaidOf(steps: readonly Step[]): string {
  const lines = ["flowchart TD"];
  let nodes = 0;
  const draw = (chain: readonly Step[]): string | undefined => {
    let before: string | undefined;
    for (const step of chain) {
      const node = `n${++nodes}`;
      const label = `${step.place}${step.detail === "" ? "" : `<br/>${step.detail}`}`;
      lines.push(`  ${node}["${label.replaceAll('"', "#quot;")}"]`);
      if (before !== undefined) lines.push(`  ${before} --> ${node}`);
      for (const [name, input] of Object.entries(step.inputs ?? {})) {
        const last = draw(input);
        if (last !== undefined) lines.push(`  ${last} -- ${name} --> ${node}`);
      }
      before = node;
    }
    return before;
  };
  draw(steps);
  return lines.join("\n");
}
