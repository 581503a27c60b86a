import type { TaskContext } from "../../machines/task/step.ts";
import { type Slot, slotName } from "../../src/consensus/slot.ts";
import { assert, IpdmError } from "../../src/core/errors.ts";
import type { Actor } from "../../src/runtime/kernel.ts";
import type { TaskPlan } from "../../src/runtime/plan.ts";
import type { NodeContext } from "./run-node.ts";

/**
 * A voter takes the submitter's slots of a task in sequence, as it has room for them, until the last. Throws `SLOT_INVALID`
 * (kind `verification`) when the submitter signed one that does not continue the task.
 */
export async function followSlots(
  { ports, committee, tasks }: NodeContext,
  task: TaskPlan,
  signal: AbortSignal,
): Promise<void> {
  const actor = tasks.get(task.name) as Actor;
  for (;;) {
    const { value, context } = await actor.until(
      (state) => state.value === "complete" || hasRoom(state.context as unknown as TaskContext),
      { signal },
    );
    const { ended, nextSeq, nextRow } = context as unknown as TaskContext;
    if (value === "complete" || ended) return;
    const known = await committee.slotAt({ task: task.name, key: task.key.cid, seq: nextSeq }, signal);
    checkSlot(task, known.slot, { cut: ports.plan.cut, from: nextRow });
    await ports.store.blocks.put({ cid: known.cid, bytes: known.bytes });
    const { rows, end } = known.slot.input;
    await actor.send({ type: "offered", seq: nextSeq, slot: known.cid, rows, end });
    const taken = (actor.snapshot().context as unknown as TaskContext).nextSeq;
    assert(taken > nextSeq, `task ${task.name} takes a slot that fits`);
  }
}

function checkSlot(task: TaskPlan, slot: Slot, expected: { readonly cut: number; readonly from: number }): void {
  const { cut, from } = slot.input;
  if (slot.stage.equals(task.stage.cid) && cut === expected.cut && from === expected.from) return;
  throw new IpdmError(
    "SLOT_INVALID",
    `the submitter signed a slot for ${slotName(slot)} that does not continue the task`,
    {
      kind: "verification",
      where: slotName(slot),
      facts: { stage: slot.stage.toString(), cut, from, expected: { stage: task.stage.cid.toString(), ...expected } },
    },
  );
}

function hasRoom(context: TaskContext): boolean {
  return context.ended || context.open.length < context.openMax;
}
