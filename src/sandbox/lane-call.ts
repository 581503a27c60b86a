import type { Outcome, ThreadCall, Work } from "./lane-messages.ts";
import type { Thread } from "./lane-thread.ts";
import type { SpareBuffers } from "./spare-buffers.ts";
import { changed, type Image } from "./state/image.ts";
import type { StateFace } from "./state/memory-tree.ts";

/** What a call came to, also where the worker could not say it itself. */
export type CallResult = Outcome | { readonly type: "timeout" } | { readonly type: "crash"; readonly message: string };

/** Makes the message of a call, in a buffer that is at hand where there are some. */
export type MakeWork = (spare: SpareBuffers | undefined) => Work;

/** Hands work to a lane. */
export type Submit = (work: MakeWork, signal: AbortSignal | undefined) => Promise<CallResult>;

/** A session of a stateful module in its lane. */
export interface SessionLink {
  readonly call: Submit;
  rollback(): void;
  close(): void;
}

/** A loaded module's lane. */
export interface LaneLink {
  readonly call: Submit;
  /** Calls that are asked for ahead, so that it never waits. */
  readonly window: number;
  open(image: Image | null): SessionLink;
  readonly face: StateFace & { readonly importsTime: boolean };
}

/** The result of a call behind one that did not end well. */
export const BROKEN = { type: "broken", message: "a call before did not end well" } as const;

/** The result of a call that this node could not even hand over. */
export function faultOf(error: unknown): CallResult {
  return { type: "fault", message: error instanceof Error ? error.message : String(error) };
}

/** A call in a lane's queue, or under way. */
export interface LaneCall {
  readonly module: number;
  /** The session whose state it goes on from; `undefined` for a call from the module's initial state. */
  readonly session: LaneSession | undefined;
  readonly timeoutMs: number;
  /** Makes the message; called again when the call is tried again, since its buffers are transferred. */
  readonly work: MakeWork;
  readonly settle: (result: CallResult) => void;
  readonly fail: (error: unknown) => void;
  faults: number;
  /** Nobody waits for it any more. */
  isDropped: boolean;
  /** It has come to its output, and is done again only for the state that it leaves behind. */
  isRedone: boolean;
  /** Bytes of its batch while it is under way. */
  sizeBytes: number;
}

/** A call, and what the thread is told of it. */
export interface Handed {
  readonly call: LaneCall;
  readonly message: ThreadCall;
}

/**
 * The state of a stateful module as its lane knows it: what was saved last, and the calls since. A thread that is lost with the
 * state in it is replaced by one that begins at the saved state and is given those calls again.
 */
export class LaneSession {
  readonly module: number;
  readonly number: number;
  image: Image | null;
  /** Calls that came to an output since the image, in order. */
  since: LaneCall[] = [];
  /** The thread in which the session is open. */
  thread: Thread | undefined;
  /** A call did not end well, so that the state is not what the calls make it. */
  isBroken = false;

  constructor(module: number, number: number, image: Image | null) {
    this.module = module;
    this.number = number;
    this.image = image;
  }

  /** Takes note of what a call came to. */
  conclude(call: LaneCall, result: CallResult): void {
    if (this.isBroken) return;
    if (result.type === "saved") {
      this.image = changed(this.image, result.change);
      this.since = [];
    } else if (result.type !== "output") {
      this.isBroken = true;
    } else {
      call.faults = 0;
      if (!call.isRedone) this.since.push(call);
      call.isRedone = true;
    }
  }

  /** Goes back to what was saved last. */
  reset(): void {
    this.since = [];
    this.thread = undefined;
    this.isBroken = false;
  }
}
