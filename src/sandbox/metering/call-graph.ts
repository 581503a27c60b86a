import { ENGINE_TYPE_VALUES_MAX } from "../wasm/limits.ts";
import type { ModuleShape } from "../wasm/module.ts";
import type { FunctionType } from "../wasm/shape.ts";
import { EVENT, type ScannedFunction } from "./events.ts";
import type { FunctionScanner } from "./function-scan.ts";

/** Fuel that functions which call no one in a circle may spend between two checks, besides that of one function's own instructions. */
export const UNCHECKED_COST_MAX = 1 << 16;

/** Whether callers pay for a function, and how much. */
interface Paid {
  readonly isFree: boolean;
  readonly cost: number;
}

/** Who calls whom: the module's own functions by number, then a node for each signature that is called through tables. */
export class CallGraph {
  readonly referenced: ReadonlySet<number>;
  private readonly count: number;
  private readonly edges: readonly (readonly number[])[];
  private readonly shape: ModuleShape;
  private readonly scanner: FunctionScanner;
  private readonly functions: readonly ScannedFunction[];
  private readonly imported: number;
  private readonly typeNodes: readonly number[];

  constructor(shape: ModuleShape, scanner: FunctionScanner, functions: readonly ScannedFunction[]) {
    this.shape = shape;
    this.scanner = scanner;
    this.functions = functions;
    this.imported = shape.importedFunctions;
    this.count = functions.length;
    this.referenced = new Set([...shape.referenced, ...scanner.facts.referenced]);
    // Types of equal signature are one: a call through a table reaches functions of all of them.
    const signatures = new Map<string, number>();
    for (const { signature } of shape.types)
      if (!signatures.has(signature)) signatures.set(signature, this.count + signatures.size);
    this.typeNodes = shape.types.map(({ signature }) => signatures.get(signature) ?? -1);
    const reached = Array.from({ length: signatures.size }, (): number[] => []);
    for (const index of this.referenced) {
      const own = index - this.imported;
      if (own >= 0 && own < this.count) reached[this.nodeOf(shape.functionTypes[index] ?? -1) - this.count]?.push(own);
    }
    this.edges = [...functions.map((_, own) => this.edgesOf(own)), ...reached];
  }

  private nodeOf(type: number): number {
    return this.typeNodes[type] ?? -1;
  }

  private edgesOf(own: number): number[] {
    const found = new Set<number>();
    for (const [kind, argument] of this.calls(own)) {
      if (kind === EVENT.callIndirect || kind === EVENT.returnCallIndirect) found.add(this.nodeOf(argument));
      else if (argument >= this.imported) found.add(argument - this.imported);
    }
    return [...found];
  }

  private *calls(own: number): Generator<readonly [kind: number, argument: number, event: number]> {
    const { from, to } = (this.functions[own] as ScannedFunction).events;
    const { kind, argument } = this.scanner.events;
    for (let i = from; i < to; i++) {
      const at = kind.at(i);
      if (at >= EVENT.call && at <= EVENT.returnCallIndirect) yield [at, argument.at(i), i];
    }
  }

  /** Own functions that are reached by a tail call, also through tables. */
  tailTargets(): Set<number> {
    const found = new Set<number>();
    for (const own of this.functions.keys()) {
      for (const [kind, argument] of this.calls(own)) {
        if (kind === EVENT.returnCall) found.add(argument - this.imported);
        else if (kind === EVENT.returnCallIndirect) found.add(this.nodeOf(argument));
      }
    }
    for (const node of [...found]) if (node >= this.count) for (const own of this.edges[node] ?? []) found.add(own);
    return found;
  }

  /** Own functions that calls name, other than tail calls, and that make no tail call themselves. */
  carriers(): Set<number> {
    const found = new Set<number>();
    const leaving: number[] = [];
    for (const own of this.functions.keys()) {
      for (const [kind, argument] of this.calls(own)) {
        if (kind === EVENT.returnCall || kind === EVENT.returnCallIndirect) leaving.push(own);
        else if (kind === EVENT.call && argument >= this.imported) found.add(argument - this.imported);
      }
    }
    for (const own of leaving) found.delete(own);
    for (const own of found) if (!this.canCarry(own)) found.delete(own);
    return found;
  }

  /** False where one value more is one too many for the engine. */
  private canCarry(own: number): boolean {
    const { types, functionTypes, importedFunctions } = this.shape;
    const type = types[functionTypes[importedFunctions + own] as number] as FunctionType;
    return Math.max(type.parameters.length, type.results.length) < ENGINE_TYPE_VALUES_MAX;
  }

  /** Adds those calls of a function after which fuel has to be checked, so that the others together spend little without a check. */
  checkCalls(own: number, unchecked: Float64Array, checked: Set<number>): void {
    const calls = [...this.calls(own)];
    const share = UNCHECKED_COST_MAX / calls.length;
    for (const [kind, argument, event] of calls)
      if (this.uncheckedBy(kind, argument, unchecked) > share) checked.add(event);
  }

  private uncheckedBy(kind: number, argument: number, unchecked: Float64Array): number {
    if (kind === EVENT.callIndirect || kind === EVENT.returnCallIndirect) return unchecked[this.nodeOf(argument)] ?? 0;
    return argument >= this.imported ? (unchecked[argument - this.imported] ?? 0) : 0;
  }

  callsItself(node: number): boolean {
    return this.edges[node]?.includes(node) === true;
  }

  /** Nodes: functions, and signatures. */
  get size(): number {
    return this.edges.length;
  }

  /** The largest value of those that a node calls directly. */
  most(node: number, values: Float64Array): number {
    let most = 0;
    for (const callee of this.edges[node] ?? []) most = Math.max(most, values[callee] as number);
    return most;
  }

  /** Fuel that the callees of a function spend without a check, each call once. */
  spent(own: number, unchecked: Float64Array): number {
    let sum = 0;
    for (const [kind, argument] of this.calls(own)) sum += this.uncheckedBy(kind, argument, unchecked);
    return sum;
  }

  /** Fuel that a function pays for free callees. */
  paidFor(own: number, plans: readonly Paid[]): number {
    let sum = 0;
    for (const [kind, argument] of this.calls(own))
      if (kind === EVENT.call) sum += plans[argument - this.imported]?.cost ?? 0;
    return sum;
  }

  /** True for a function that does nothing but what is known before: no calls but of free functions, no work by length. */
  isPlain(own: number, plans: readonly Paid[]): boolean {
    const { from, to } = (this.functions[own] as ScannedFunction).events;
    const { kind, argument } = this.scanner.events;
    for (let i = from; i < to; i++) {
      const at = kind.at(i);
      if (at === EVENT.call) {
        if (plans[argument.at(i) - this.imported]?.isFree !== true) return false;
      } else if (at > EVENT.call) return false;
    }
    return true;
  }

  /** Strongly connected components, callees before callers (Tarjan 1972, without recursion). */
  components(): number[][] {
    const size = this.edges.length;
    const index = new Int32Array(size).fill(-1);
    const low = new Int32Array(size);
    const isOpen = new Uint8Array(size);
    const open: number[] = [];
    const found: number[][] = [];
    let counter = 0;
    const path: { readonly node: number; next: number }[] = [];
    const visit = (node: number): void => {
      index[node] = low[node] = counter++;
      open.push(node);
      isOpen[node] = 1;
      path.push({ node, next: 0 });
    };
    for (let root = 0; root < size; root++) {
      if (index[root] !== -1) continue;
      visit(root);
      for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
        const { node } = step;
        const callee = this.edges[node]?.[step.next++];
        if (callee === undefined) {
          path.pop();
          const parent = path.at(-1);
          if (parent !== undefined) low[parent.node] = Math.min(low[parent.node] as number, low[node] as number);
          if (low[node] === index[node]) found.push(takeUntil(open, isOpen, node));
        } else if (index[callee] === -1) visit(callee);
        else if (isOpen[callee] === 1) low[node] = Math.min(low[node] as number, index[callee] as number);
      }
    }
    return found;
  }
}

function takeUntil(open: number[], isOpen: Uint8Array, node: number): number[] {
  const component: number[] = [];
  for (let taken = open.pop(); taken !== undefined; taken = open.pop()) {
    isOpen[taken] = 0;
    component.push(taken);
    if (taken === node) break;
  }
  return component;
}

/** Own functions that can come to call themselves, by whatever way. */
export function recursiveFunctions(
  shape: ModuleShape,
  scanner: FunctionScanner,
  functions: readonly ScannedFunction[],
): ReadonlySet<number> {
  const graph = new CallGraph(shape, scanner, functions);
  const circles = graph.components().filter(([node = -1, ...others]) => others.length > 0 || graph.callsItself(node));
  return new Set(circles.flat().filter((node) => node < functions.length));
}
