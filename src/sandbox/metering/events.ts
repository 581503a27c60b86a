import type { IntList } from "./int-list.ts";

/** What happens at a point of a function that metering has to know of. */
export const EVENT = {
  block: 0,
  loop: 1,
  if: 2,
  else: 3,
  end: 4,
  /** A branch that is always taken: `br`, `br_table`, `unreachable`, `return`. `argument`: how many blocks it leaves at most. */
  jump: 5,
  /** A branch that may be taken. `argument`: how many blocks it leaves. */
  branch: 6,
  return: 7,
  /** `argument`: the function, or the type. */
  call: 8,
  callIndirect: 9,
  returnCall: 10,
  returnCallIndirect: 11,
  memoryGrow: 12,
  tableGrow: 13,
  bulkMemory: 14,
  bulkTable: 15,
} as const;

/** The events of all functions of a module, one after the other. */
export interface Events {
  readonly kind: IntList;
  readonly argument: IntList;
  /** Where the instruction begins, and where the next one does. */
  readonly from: IntList;
  readonly to: IntList;
  /** Fuel of the instructions after the event before, up to and with this one. */
  readonly cost: IntList;
  /** 1 where no execution gets to what follows the event. */
  readonly dead: IntList;
}

/** What one pass over a function finds. Ranges are half open. */
export interface ScannedFunction {
  /** Bytes of the declarations of locals, and where the instructions begin and end. */
  readonly declarations: { readonly groups: number; readonly from: number; readonly to: number };
  readonly end: number;
  readonly locals: number;
  /** Values that a call keeps on the stack: locals and operands, a vector counted twice. */
  readonly frame: number;
  readonly events: { readonly from: number; readonly to: number };
  /** Places where NaNs are made canonical. */
  readonly canon: { readonly from: number; readonly to: number };
  readonly hasLoop: boolean;
  /** Fuel of all instructions, each once. */
  readonly cost: number;
}

/** Things that a module's code does and that a host has to know of. */
export interface CodeFacts {
  usesTailCalls: boolean;
  /** It writes to tables, or drops segments: state beyond memory and globals. */
  changesTables: boolean;
  readonly referenced: Set<number>;
}
