import { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import type { RawRequest } from "./machine.ts";
import type { Captured, MachineScope } from "./machine-scope.ts";
import { type NotPlain, plainOf } from "./plain-data.ts";

/** Longest delay of a timer, in milliseconds: about 31 years. */
export const DELAY_MS_MAX = 1e12;

/** Types of requests that the kernel carries out itself. `ipdm.cancel` takes a timer off and is not recorded. */
export const KERNEL_REQUEST = {
  after: "ipdm.after",
  cancel: "ipdm.cancel",
  spawn: "ipdm.spawn",
  invoke: "ipdm.invoke",
  send: "ipdm.send",
  stop: "ipdm.stop",
} as const;

/** What {@link requestsOfStep} looks at. */
export interface StepReport {
  readonly label: string;
  readonly known: ReadonlySet<string>;
  readonly scope: MachineScope;
  readonly captured: readonly Captured[];
  readonly notPlain: (what: string, problem: NotPlain) => IpdmError;
}

/** What a transition asked for, in order, as plain data. Throws `MACHINE_UNSUPPORTED`, `ACTOR_STATE_NOT_PLAIN`, `ACTOR_FAULT`. */
export function requestsOfStep(report: StepReport): readonly RawRequest[] {
  if (report.captured.length === 0) return [];
  const requests: RawRequest[] = [];
  for (const each of report.captured) {
    const request = each.kind === "spawn" ? spawnOf(report, each) : actionOf(report, each.type, each.params);
    if (request !== undefined) requests.push(request);
  }
  return requests;
}

function spawnOf(report: StepReport, { child, src, input, live }: Extract<Captured, { kind: "spawn" }>): RawRequest {
  if (live === "systemId") throw unsupported(report, `gives ${src} a systemId`, "address children by their ids");
  if (live === "syncSnapshot")
    throw unsupported(report, `follows the snapshots of ${src}`, "let the child send what matters");
  // XState numbers actors without an id within a process: the same child would have another id after a restart.
  if (/^x:\d+$/.test(child) || child === "undefined")
    throw unsupported(report, `spawns ${src} without an id`, "give spawn and spawnChild an id");
  return {
    type: KERNEL_REQUEST.spawn,
    params: plain(report, `the input of ${child}`, { id: child, src, input: input ?? null }),
  };
}

function actionOf(report: StepReport, type: string, params: unknown): RawRequest | undefined {
  if (report.known.has(type))
    return { type, params: plain(report, `the parameters of request ${type}`, params ?? null) };
  switch (type) {
    case "xstate.raise":
      return delayed(report, params as Delayed, { to: "self" });
    case "xstate.sendTo":
      return sent(report, params as Delayed & { readonly to?: unknown });
    case "xstate.cancel":
      return { type: KERNEL_REQUEST.cancel, params: { id: String((params as { sendId: unknown }).sendId) } };
    case "xstate.stopChild": {
      const child = report.scope.addressee(params)?.["child"];
      return child === undefined ? undefined : { type: KERNEL_REQUEST.stop, params: { child } };
    }
    case "xstate.spawnChild": // captured where it was made
    case "xstate.log":
      return undefined;
    default:
      throw unsupported(
        report,
        `uses action ${type}, which is not one of its requests`,
        "name the action in `requests`, or take it out: what has no name cannot be done again after a restart",
      );
  }
}

interface Delayed {
  readonly event: unknown;
  readonly id?: unknown;
  readonly delay?: unknown;
}

// XState has consumed a raise without a delay by now and only reports it.
function delayed(report: StepReport, params: Delayed, to: { readonly [key: string]: Ipld }): RawRequest | undefined {
  const { event, id, delay } = params;
  if (typeof delay !== "number") return undefined;
  if (!(delay <= DELAY_MS_MAX))
    throw new IpdmError("ACTOR_FAULT", `machine ${report.label} waits for ${delay} ms, more than ${DELAY_MS_MAX}`, {
      where: report.label,
    });
  const timer = { ...(id === undefined ? {} : { id: String(id) }), delay: Math.max(0, Math.ceil(delay)), event, ...to };
  return { type: KERNEL_REQUEST.after, params: plain(report, "a delayed event", timer) };
}

function sent(report: StepReport, params: Delayed & { readonly to?: unknown }): RawRequest {
  const to = report.scope.addressee(params.to);
  if (to === undefined)
    throw unsupported(
      report,
      "sends to an actor that is neither itself, its parent nor a child",
      "ask for it as a named action",
    );
  const timer = delayed(report, params, to);
  return timer ?? { type: KERNEL_REQUEST.send, params: plain(report, "a message", { ...to, event: params.event }) };
}

function plain(report: StepReport, what: string, value: unknown): Ipld {
  const result = plainOf(value);
  if (!result.ok) throw report.notPlain(what, result);
  return result.value;
}

function unsupported(report: StepReport, what: string, hint: string): IpdmError {
  return new IpdmError("MACHINE_UNSUPPORTED", `machine ${report.label} ${what}`, {
    where: report.label,
    hint,
    facts: { requests: [...report.known] },
  });
}
