import type { Batch } from "../../batch/batch.ts";
import { MAIN } from "../plan.ts";
import type { PortBatches, StageOperator } from "./operator.ts";

/** Hands its input on unchanged: how a source becomes a table of its own. */
export class CopyOperator implements StageOperator {
  async push(batches: readonly Batch[]): Promise<PortBatches> {
    return { [MAIN]: batches };
  }

  end(): PortBatches {
    return {};
  }

  save(): null {
    return null;
  }
}
