import type { ModuleShape } from "../wasm/module.ts";
import { CallGraph, UNCHECKED_COST_MAX } from "./call-graph.ts";
import { COST_ENTRY } from "./cost-table.ts";
import type { ScannedFunction } from "./events.ts";
import type { FunctionScanner } from "./function-scan.ts";

/** Fuel up to which a function without loops, called by its name alone, is paid for by its callers. */
export const INLINE_COST_MAX = 48;
/** Stack, in values, that callers may reserve for callees that do not count it themselves. */
const CHAIN_MAX = 1 << 13;
/** Values that a call takes on the stack besides its locals and operands. */
const FRAME_BASE = 8;

/** How a function is metered. */
export interface Metering {
  /** It is paid for by its callers, and stays as it is. */
  readonly isFree: boolean;
  /** Fuel that callers of a free function pay for it. */
  readonly cost: number;
  /** Stack that it counts when it is entered, for itself and those it calls that do not; 0: its callers count it. */
  readonly frame: number;
  /** Fuel is checked when it is entered. */
  readonly isChecked: boolean;
  /** It takes the meter as its last parameter and gives it back as its last result, so that calls that name it leave it in registers. */
  readonly isCarrier: boolean;
  /** It is reached in other ways too: for these a function of its original type hands the meter to it, and is counted with it. */
  readonly hasEntrance: boolean;
}

/** How the functions of a module are metered. */
export interface MeteringPlan {
  /** By number of the module's own functions. */
  readonly functions: readonly Metering[];
  /** Calls, by number of their event, after which fuel is checked. */
  readonly checkedCalls: ReadonlySet<number>;
}

/**
 * Decides for every function how it is metered. Only calls in a circle can fill the stack or, without loops, spend fuel without
 * end, so functions in a circle count their frames and check their fuel at entry; the others do where what is known of the code
 * says that they may need much stack, or spend much before the next check. Whoever checks its stack checks its fuel with it. A call
 * through a table may reach every function of its type that the module refers to. A function that is reached by a tail call
 * counts its own frame, since its caller, which could count it, has given back what it had.
 *
 * All functions that calls name are carriers ({@link Metering}), but for those that callers pay for and those that make tail calls,
 * which cannot give back more than their callees do.
 *
 * Functions are called by the module itself or by the host from outside: a host function that calls back into the module makes
 * a circle that nobody sees.
 */
export function planMetering(
  shape: ModuleShape,
  scanner: FunctionScanner,
  functions: readonly ScannedFunction[],
): MeteringPlan {
  const graph = new CallGraph(shape, scanner, functions);
  const held = outside(shape, graph.referenced);
  const tailTargets = graph.tailTargets();
  const carriers = graph.carriers();
  const checkedCalls = new Set<number>();
  const plans: Metering[] = Array.from({ length: functions.length }, () => UNPLANNED);
  // By node: stack that is needed before someone counts it, and fuel that is spent before someone checks it.
  const chains = new Float64Array(graph.size);
  const unchecked = new Float64Array(graph.size);
  for (const component of graph.components()) {
    const isCircle = component.length > 1 || component.some((node) => graph.callsItself(node));
    // Nodes of signatures come first: they have the larger numbers, and functions ask for what lies behind them.
    for (const node of component.sort((a, b) => b - a)) {
      const scanned = functions[node];
      const chain = graph.most(node, chains);
      if (scanned === undefined) {
        chains[node] = chain;
        unchecked[node] = graph.most(node, unchecked);
        continue;
      }
      const hasEntrance = carriers.has(node) && (held.has(node) || tailTargets.has(node));
      const frame = (hasEntrance ? 2 : 1) * FRAME_BASE + scanned.frame + chain;
      const isCounted = isCircle || frame > CHAIN_MAX || tailTargets.has(node);
      const spent = scanned.cost + COST_ENTRY + graph.spent(node, unchecked);
      const isLong = spent > UNCHECKED_COST_MAX;
      const isChecked = isCounted || isLong;
      if (isLong) graph.checkCalls(node, unchecked, checkedCalls);
      const cost = scanned.cost + COST_ENTRY + graph.paidFor(node, plans);
      const isSmall = !isCounted && !isChecked && !scanned.hasLoop && cost <= INLINE_COST_MAX;
      const isFree = isSmall && !held.has(node) && graph.isPlain(node, plans);
      const isCarrier = carriers.has(node) && !isFree;
      plans[node] = {
        isFree,
        cost: isFree ? cost : 0,
        frame: isCounted ? frame : 0,
        isChecked,
        isCarrier,
        hasEntrance,
      };
      chains[node] = isCounted ? 0 : frame;
      unchecked[node] = isChecked ? 0 : spent;
    }
  }
  return { functions: plans, checkedCalls };
}

const UNPLANNED: Metering = {
  isFree: false,
  cost: 0,
  frame: 0,
  isChecked: false,
  isCarrier: false,
  hasEntrance: false,
};

/** Own functions that can be called other than by a call that names them. */
function outside(shape: ModuleShape, referenced: Iterable<number>): Set<number> {
  const all = [...referenced, ...shape.exports.filter(({ kind }) => kind === "function").map(({ index }) => index)];
  if (shape.start !== undefined) all.push(shape.start);
  return new Set(all.map((index) => index - shape.importedFunctions));
}
