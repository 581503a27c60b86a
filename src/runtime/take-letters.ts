import type { IpdmError } from "../core/errors.ts";
import type { Clock, Entropy } from "../core/ports.ts";
import type { Ipld } from "../dag/block.ts";
import type { RequestRecord } from "../journal/port.ts";
import { backOff } from "./effect.ts";
import { KERNEL_EVENT, machineFailedEvent } from "./kernel-event.ts";
import { causeOf, isMachineFailure } from "./machine-failure.ts";
import { KERNEL_REQUEST } from "./machine-requests.ts";
import type { Letter, Receipt } from "./mailbox.ts";
import type { Progress } from "./progress.ts";
import { faultOf } from "./request.ts";

/** A letter whose event is part of an entry, and what its sender will hear once that is durable. */
export interface Kept {
  readonly letter: Letter;
  readonly receipt: Receipt;
  /** The machine threw; the event is journalled as one that it failed on. */
  readonly failure?: IpdmError;
}

/** What a batch of letters came to. */
export interface Taken {
  readonly events: readonly Ipld[];
  readonly requests: readonly RequestRecord[];
  readonly kept: readonly Kept[];
  /** Messages that were taken before. */
  readonly repeated: readonly Letter[];
  readonly cancelled: readonly string[];
  /** What stops the actor, after these events. */
  readonly fault: IpdmError | undefined;
}

/** Takes letters one after the other: each event is transitioned, or journalled as one that the machine failed on. */
export function takeLetters(
  progress: Progress,
  letters: readonly Letter[],
  { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
): Taken {
  const events: Ipld[] = [];
  const requests: RequestRecord[] = [];
  const kept: Kept[] = [];
  const repeated: Letter[] = [];
  let fault: IpdmError | undefined;
  const apply = (event: Ipld): readonly RequestRecord[] => {
    const { requests: asked, time } = progress.applyAt(event, progress.machine.timed ? clock.now() : undefined);
    if (asked.length > 0) requests.push(...asked);
    if (time !== undefined) events.push(time);
    events.push(event);
    return asked;
  };
  for (const letter of letters) {
    if (fault !== undefined) {
      letter.delivered.reject(fault);
    } else if (letter.answers !== undefined && !progress.pending.has(letter.answers)) {
      letter.delivered.resolve(undefined); // its request was settled by an event meanwhile, or called off
    } else if (letter.message !== undefined && progress.books.hasHeard(letter.message.from, letter.message.id)) {
      repeated.push(letter);
    } else {
      try {
        const { asked, failure } = applyOrFail(progress, letter.event, { clock, entropy }, apply);
        const receipt = {
          seq: progress.seq,
          requests: asked.length === 0 ? NOTHING : asked.filter(isWork).map(({ id }) => id),
        };
        kept.push(failure === undefined ? { letter, receipt } : { letter, receipt, failure });
      } catch (error) {
        fault = faultOf(progress.actor, error);
        letter.delivered.reject(fault);
      }
    }
  }
  return { events, requests, kept, repeated, cancelled: progress.takeCancelled(), fault };
}

const NOTHING: readonly string[] = [];

// A timer's end is nothing that somebody would wait for.
function isWork({ type }: RequestRecord): boolean {
  return type !== KERNEL_REQUEST.after && type !== KERNEL_EVENT.restarted;
}

function applyOrFail(
  progress: Progress,
  event: Ipld,
  { clock, entropy }: { readonly clock: Clock; readonly entropy: Entropy },
  apply: (event: Ipld) => readonly RequestRecord[],
): { readonly asked: readonly RequestRecord[]; readonly failure?: IpdmError } {
  try {
    return { asked: apply(event) };
  } catch (error) {
    const policy = progress.machine.spec.failures;
    if (policy === undefined || !isMachineFailure(error)) throw error;
    const now = clock.now();
    const recent = progress.books.failures.filter((at) => at > now - policy.withinMs);
    const restart = recent.length < policy.restarts ? now + backOff(policy, recent.length + 1, entropy()) : undefined;
    return { asked: apply(machineFailedEvent(event, causeOf(error), now, restart)), failure: error };
  }
}
