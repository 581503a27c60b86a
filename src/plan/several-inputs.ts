import { IpdmError } from "../core/errors.ts";

/**
 * Refuses inputs that a task cannot read beside others: those that follow a chain's head, and those that a live module makes, both of
 * which end where nobody knows yet. Throws `INPUTS_OPEN` (kind `config`).
 */
export function checkSettled(
  task: string,
  inputs: readonly string[],
  live: ReadonlySet<string>,
  followed: ReadonlySet<string>,
): void {
  const found = inputs.find((name) => live.has(name) || followed.has(name));
  if (found === undefined) return;
  const why = live.has(found)
    ? "is made by a module that may change while it runs"
    : "follows a chain whose end is not known";
  throw new IpdmError("INPUTS_OPEN", `${task} reads ${found} beside others, which ${why}`, {
    kind: "config",
    hint: live.has(found) ? "leave out upgrade: live" : "give the source an end: to",
  });
}
