import type { Batch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import type { IpdmError } from "../../core/errors.ts";
import { inOrder } from "../in-order.ts";
import { BROKEN, type CallResult, type SessionLink, type Submit } from "../lane-call.ts";
import type { Call, CallContext, CallOptions, ModuleSession, Processed } from "../port.ts";
import type { MemoryTree, SavedMemory } from "./memory-tree.ts";

/** What a session needs of its module. */
interface SessionModule {
  outputSchema(input: Schema): Promise<Schema>;
  /** Calls `submit` before it waits for anything. */
  runThrough(submit: Submit, call: Call, declared: Schema, signal: AbortSignal | undefined): Promise<Processed>;
  failure(result: CallResult, rows: string): IpdmError;
}

/** The state of a stateful module as the lane's callers see it. */
export class StatefulSession implements ModuleSession {
  private readonly module: SessionModule;
  private readonly link: SessionLink;
  private readonly tree: MemoryTree;
  /** Work asked for since the state was saved or opened. */
  private asked = 0;
  /** Work of an earlier life is given up: each rollback begins another. */
  private life = 0;
  private isBroken = false;
  /** The save that was asked for last. */
  private saving: Promise<SavedMemory> | undefined;
  /** Settled when the work asked for last has been handed to the lane. */
  private handedOver: Promise<unknown> = Promise.resolve();

  constructor(module: SessionModule, link: SessionLink, tree: MemoryTree) {
    this.module = module;
    this.link = link;
    this.tree = tree;
  }

  run(batch: Batch, context: CallContext, options: CallOptions = {}): Promise<Processed> {
    this.asked++;
    // The lane asks for the output's schema first, and calls must not overtake each other meanwhile.
    return this.inTurn(this.module.outputSchema(batch.schema), (call, declared) =>
      this.module.runThrough(call, { batch, context }, declared, options.signal),
    );
  }

  processAll(calls: Iterable<Call> | AsyncIterable<Call>, options: CallOptions = {}): AsyncIterable<Processed> {
    return inOrder(calls, ({ batch, context }) => this.run(batch, context, options));
  }

  async save(options: CallOptions = {}): Promise<SavedMemory> {
    if (this.asked === 0 && !this.isBroken) {
      // A save that is under way has the state; who saves again has nothing fresh.
      await this.saving?.catch(() => undefined);
      if (!this.isBroken) return { state: this.tree.last, fresh: [] };
    }
    this.asked = 0;
    this.saving = this.inTurn(Promise.resolve(), async (call) => {
      const result = await call(() => ({ type: "save" }), options.signal);
      if (result.type !== "saved") throw this.module.failure(result, "the save of its state");
      return this.tree.update(result.change);
    });
    return await this.saving;
  }

  rollback(): void {
    this.life++;
    this.asked = 0;
    this.isBroken = false;
    this.link.rollback();
  }

  close(): void {
    this.life++;
    this.isBroken = true;
    this.link.close();
  }

  /**
   * Hands work to the lane behind all that was asked for before, unless some of that failed. `work` calls the lane before it
   * waits for anything.
   */
  private inTurn<R, T>(ready: Promise<R>, work: (call: Submit, ready: R) => Promise<T>): Promise<T> {
    const { life, handedOver } = this;
    const turn = (async () => {
      const [, prepared] = await Promise.allSettled([handedOver, ready]);
      const isLost = this.isBroken || this.life !== life;
      const result =
        prepared.status === "fulfilled"
          ? work(isLost ? lost : this.link.call, prepared.value)
          : Promise.reject<T>(prepared.reason);
      result.catch(() => {
        if (this.life === life) this.isBroken = true;
      });
      // In an object, so that whoever waits for the turn does not wait for the result.
      return { result };
    })();
    this.handedOver = turn;
    return turn.then(({ result }) => result);
  }
}

async function lost(): Promise<CallResult> {
  return BROKEN;
}
