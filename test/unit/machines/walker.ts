import { utf8 } from "../../../src/core/bytes.ts";
import { type Block, cborBlock } from "../../../src/dag/block.ts";
import type { RequestRecord } from "../../../src/journal/port.ts";
import { sha256 } from "../../../src/node.ts";
import { Machine, type MachineSpec } from "../../../src/runtime/machine.ts";
import { Progress } from "../../../src/runtime/progress.ts";

/** A link that stands for something. */
export const linkTo = (what: string): Block["cid"] => cborBlock(sha256, utf8(what)).cid;

/** A machine and what it asked for, without a kernel. */
export class Walker<Context> {
  readonly requests: RequestRecord[];
  private readonly progress: Progress;

  constructor(spec: MachineSpec, input: object) {
    const begun = Progress.begin(new Machine(sha256, spec), `${spec.name}/walk`, input as never);
    this.progress = begun.progress;
    this.requests = [...begun.requests];
  }

  get context(): Context {
    return this.progress.snapshot.context as Context;
  }

  get value(): unknown {
    return this.progress.snapshot.value as unknown;
  }

  /** Requests that no event has settled yet. */
  get pending(): readonly RequestRecord[] {
    return [...this.progress.pending.values()];
  }

  /** The state as a block: it must be plain and encodable at any time. */
  state(): Block {
    return cborBlock(sha256, this.progress.machine.stateOf(this.progress.snapshot));
  }

  /** Sends an event; gives the requests that it caused, as `type seq`. */
  send(event: { readonly type: string; readonly [key: string]: unknown }): string[] {
    const caused = this.progress.apply(event as never);
    this.requests.push(...caused);
    return caused.map(({ type, params }) => `${type} ${String((params as { seq?: number }).seq ?? "")}`.trim());
  }

  /** Settles a request without a fact of the machine. */
  done(request: string): void {
    this.progress.apply({ type: "ipdm.done", request });
  }
}
