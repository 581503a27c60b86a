import * as dagCbor from "@ipld/dag-cbor";
import { equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import type { RequestRecord } from "../journal/port.ts";
import type { OutcomeEvent } from "./effect.ts";
import { KERNEL_EVENT_PREFIX } from "./kernel-event.ts";
import { plainOf } from "./plain-data.ts";

/** An event as it will be journalled. Throws `ACTOR_EVENT_NOT_PLAIN`, `ACTOR_EVENT_RESERVED`. */
export function checkEvent(actor: string, event: OutcomeEvent): Ipld {
  const plain = plainOf(event);
  if (!plain.ok) {
    throw new IpdmError("ACTOR_EVENT_NOT_PLAIN", `an event for ${actor} holds ${plain.reason} at ${plain.path}`, {
      where: actor,
      hint: "send only JSON-like values, byte arrays and CIDs",
      facts: { path: plain.path, reason: plain.reason },
    });
  }
  const { type } = event as { readonly type: unknown };
  // XState's own, but for the one that is sent to it from outside: to a state with a `route`.
  const isReserved = typeof type !== "string" || type.startsWith(KERNEL_EVENT_PREFIX) || type.startsWith("xstate.");
  if (isReserved && type !== "xstate.route") {
    throw new IpdmError("ACTOR_EVENT_RESERVED", `an event for ${actor} has the type ${String(event.type)}`, {
      where: actor,
      hint: `types are texts that do not begin with "${KERNEL_EVENT_PREFIX}" or "xstate."`,
    });
  }
  return plain.value;
}

/** The event for an effect that rejected: `{type: "failed", request, error: {code, message, facts?}}`. */
export function failedEvent(request: string, error: unknown): Ipld {
  return { type: "failed", request, error: describedError(error) };
}

/** An effect's error as it is journalled: `{code, message, facts?}`; `EFFECT_FAILED` where it has no code. */
export function describedError(error: unknown): Ipld {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  const message = error instanceof Error ? error.message : String(error);
  const facts = error instanceof IpdmError ? plainOf(error.facts) : undefined;
  const described: Record<string, Ipld> = {
    code: typeof code === "string" ? code : "EFFECT_FAILED",
    message: message.toWellFormed(),
  };
  if (facts?.ok === true && Object.keys(facts.value as object).length > 0) described["facts"] = facts.value;
  return described;
}

/** Where recorded and re-derived requests differ; `null` stands for a request that one side does not have. */
export interface RequestDifference {
  readonly seq: number;
  readonly expected: RequestRecord | null;
  readonly found: RequestRecord | null;
}

/** The first difference between the requests that an entry records and those its events cause now. */
export function compareRequests(
  recorded: readonly RequestRecord[],
  derived: readonly RequestRecord[],
): RequestDifference | undefined {
  if (equalBytes(dagCbor.encode(recorded), dagCbor.encode(derived))) return undefined;
  for (let at = 0; at < Math.max(recorded.length, derived.length); at++) {
    const expected = recorded[at] ?? null;
    const found = derived[at] ?? null;
    if (expected === null || found === null || !equalBytes(dagCbor.encode(expected), dagCbor.encode(found))) {
      const seqs = [expected, found].flatMap((request) => (request === null ? [] : [seqOf(request)]));
      return { seq: Math.min(...seqs), expected, found };
    }
  }
  return undefined;
}

/** `NON_DETERMINISM`: the machine does not do again what its journal says it did. */
export function nonDeterminism(
  actor: string,
  machine: string,
  difference: { seq: number; expected: unknown; found: unknown },
): IpdmError {
  return new IpdmError(
    "NON_DETERMINISM",
    `machine ${machine} does not repeat what actor ${actor} journalled at event ${difference.seq}`,
    {
      kind: "verification",
      where: `${actor}:${difference.seq}`,
      hint: "run the machine that wrote this journal; a changed machine needs a new version",
      facts: { actor, machine, seq: difference.seq, expected: difference.expected, found: difference.found },
    },
  );
}

/** `REQUEST_NOT_DEAD`: only a request whose last attempt has failed can be tried again. */
export function requestNotDead(request: string): IpdmError {
  return new IpdmError("REQUEST_NOT_DEAD", `request ${request} is not one that waits for a person`, {
    kind: "usage",
    where: request,
    hint: "`ipdm-runtime actors show <actor>` lists those that do",
  });
}

/** Any error as the fault of an actor: `ACTOR_FAULT`, where it has no code of its own. */
export function faultOf(actor: string, error: unknown): IpdmError {
  if (error instanceof IpdmError) return error;
  return new IpdmError("ACTOR_FAULT", `actor ${actor}: ${error instanceof Error ? error.message : String(error)}`, {
    where: actor,
    cause: error,
  });
}

// A request id is `actor:seq:index`; an actor id may hold colons itself.
function seqOf(request: RequestRecord): number {
  const seq = Number(request.id.split(":").at(-2));
  return Number.isSafeInteger(seq) ? seq : 0;
}
