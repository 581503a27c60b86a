import type { ModuleShape } from "../wasm/module.ts";
import type { FunctionType } from "../wasm/shape.ts";
import { ByteWriter } from "../wasm/writer.ts";
import type { FunctionTypes } from "./function-types.ts";
import type { Metering } from "./metering-plan.ts";

const I64 = 0x7e;

/**
 * Where the carriers of a module stand. A carrier takes the meter as its last parameter and gives it back as its last result. One
 * that is called by its name alone keeps its number. One that is reached in other ways too (exported, in a table, by a tail call)
 * stands behind all other functions, and its *entrance* has its number and type: it takes the meter from the global and puts it back.
 */
export class Carriers {
  /** What calls name, by number of the module's own functions; -1 for those that are no carriers. */
  readonly targets: Int32Array;
  /** Own functions that have entrances, in the order of their carriers. */
  readonly behind: readonly number[];

  /** `first`: the number of the first carrier that stands behind all other functions. */
  constructor(shape: ModuleShape, plans: readonly Metering[], first: number) {
    this.targets = new Int32Array(shape.bodies.length).fill(-1);
    const behind: number[] = [];
    for (const [own, { isCarrier, hasEntrance }] of plans.entries()) {
      if (!isCarrier) continue;
      this.targets[own] = hasEntrance ? first + behind.length : shape.importedFunctions + own;
      if (hasEntrance) behind.push(own);
    }
    this.behind = behind;
  }
}

/** The type of a carrier, by that of its original. */
export function carrierType({ parameters, results }: FunctionType, types: FunctionTypes): number {
  return types.index(Uint8Array.of(...parameters, I64), Uint8Array.of(...results, I64));
}

/** The body of an entrance, as it stands in the code section without its length. */
export function entrance({ parameters }: FunctionType, carrier: number, meter: number): Uint8Array {
  const body = new ByteWriter(64);
  body.byte(0);
  for (let i = 0; i < parameters.length; i++) {
    body.byte(0x20);
    body.u32(i);
  }
  for (const [op, index] of [
    [0x23, meter],
    [0x10, carrier],
    [0x24, meter],
  ] as const) {
    body.byte(op);
    body.u32(index);
  }
  body.byte(0x0b);
  return body.take();
}
