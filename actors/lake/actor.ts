import type { LakeRequest } from "../../machines/lake/step.ts";
import { decodeBatch } from "../../src/batch/batch.ts";
import { parseStatement } from "../../src/consensus/statement.ts";
import { assert } from "../../src/core/errors.ts";
import { decodeStrict } from "../../src/dag/block.ts";
import type { Effect, OutcomeEvent } from "../../src/runtime/kernel.ts";
import type { NodeContext } from "../node/run-node.ts";

type Params<T extends LakeRequest["type"]> = Extract<LakeRequest, { type: T }>["params"];

/** Carries out a lake machine's requests on one node. */
export class LakeEffects {
  readonly effects: Readonly<Record<LakeRequest["type"], Effect>>;
  private readonly node: NodeContext;

  constructor(node: NodeContext) {
    this.node = node;
    this.effects = {
      keep: (request) => this.keep(request.params as never),
      write: (request, { signal }) => this.write(request.params as never, signal),
    };
  }

  /** The statement's batches were stored before it was claimed; from now on the lake answers for them. */
  private async keep({ statement: cid }: Params<"keep">): Promise<OutcomeEvent> {
    const { hash } = this.node.ports;
    const statement = parseStatement(decodeStrict(hash, { cid, bytes: await this.node.reader.read(cid) }));
    let batches = 0;
    let rows = 0;
    for (const output of Object.values(statement.outputs)) {
      batches += output.batches.length;
      rows += output.rows;
    }
    return { type: "kept", batches, rows };
  }

  private async write({ output: name }: Params<"write">, signal: AbortSignal): Promise<OutcomeEvent> {
    const { plan, writeOutput } = this.node.ports;
    const output = plan.outputs.find((candidate) => candidate.name === name);
    assert(output !== undefined && writeOutput !== undefined, `output ${name} can be written here`);
    const rows = await writeOutput(output, this.batches(output.task, output.port, signal), signal);
    return { type: "written", output: name, rows };
  }

  private async *batches(task: string, port: string, signal: AbortSignal) {
    for (const cid of this.node.ledger.batches(task, port)) {
      signal.throwIfAborted();
      yield decodeBatch(await this.node.reader.read(cid, signal));
    }
  }
}
