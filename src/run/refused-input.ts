import type { RunNode } from "../../actors/node/run-node.ts";
import { IpdmError } from "../core/errors.ts";
import type { LocalNode } from "../node.ts";
import type { RunPlan } from "../runtime/plan.ts";
import type { ChainInput } from "./chains.ts";
import type { FollowedChain } from "./following.ts";

/** Key under which the submitter remembers the epoch whose input was refused. */
const REFUSED_KEY = "input/refused";
const ROWS = /^rows (\d+) to (\d+)$/;

type Chains = ReadonlyMap<string, ChainInput | FollowedChain>;

/**
 * Awaits a run's work, and remembers that a module refused blocks of a chain, in words of its own: slots name their JSON, while the anchor, and so the task,
 * stays the same when they are replaced. The next run begins a new epoch, in which what was computed before is found again, and
 * what endpoints gave for these blocks is not kept. Rejects as the work does.
 */
export async function rememberingRefused<T>(work: Promise<T>, lead: RunNode, chains: Chains): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await rememberRefused(error, lead, chains);
    throw error;
  }
}

async function rememberRefused(error: unknown, lead: RunNode, chains: Chains): Promise<void> {
  if (!(error instanceof IpdmError) || error.kind !== "verification") return;
  const { module, rows } = error.facts;
  const [, from, to] = ROWS.exec(String(rows)) ?? [];
  if (typeof module !== "string" || from === undefined) return;
  const { plan, store, membership } = lead.ports;
  const inputs = inputsOf(plan, module).flatMap((name) => chains.get(name) ?? []);
  for (const input of inputs) await input.forget?.(Number(from), Number(to));
  if (inputs.length > 0) await store.meta.put(REFUSED_KEY, new TextEncoder().encode(String(membership.epoch)));
}

/** Sources that tasks of a module read. */
function inputsOf(plan: RunPlan, module: string): string[] {
  return plan.tasks.flatMap(({ input, operator }) =>
    operator.kind === "module" && operator.module.toString() === module && input.from === "source" ? [input.name] : [],
  );
}

/** True when the input of an epoch was refused. */
export async function wasRefused(submitter: LocalNode, epoch: number): Promise<boolean> {
  const refused = await submitter.store.meta.get(REFUSED_KEY);
  return refused !== undefined && Number(new TextDecoder().decode(refused)) === epoch;
}
