import type { Hash } from "../../core/ports.ts";
import { rawBlock } from "../../dag/block.ts";
import { recursiveFunctions } from "../metering/call-graph.ts";
import { COST_ENTRY } from "../metering/cost-table.ts";
import { FunctionScanner } from "../metering/function-scan.ts";
import { type ModuleSource, validateModule } from "../validate.ts";
import { MODULE_LIMITS } from "../wasm/limits.ts";
import type { External, Limits, ModuleShape } from "../wasm/module.ts";
import { countInstructions, type InstructionClass } from "./instructions.ts";

/** Functions that a report lists by their cost. */
const COSTLIEST_MAX = 10;

/** A function as a report shows it. */
export interface FunctionFacts {
  /** Its number in the module, imported functions included, and the names under which it is exported. */
  readonly index: number;
  readonly names: readonly string[];
  readonly bytes: number;
  /** Fuel of its instructions, each once, and of entering it: what a call takes at most unless it loops or calls others. */
  readonly cost: number;
  /** Values that a call keeps on the stack. */
  readonly frame: number;
  readonly loops: number;
  /** Loops inside each other. */
  readonly loopDepth: number;
  readonly isRecursive: boolean;
}

/** What can be said of a module without running it. */
export interface ModuleFacts {
  /** CIDs (raw, sha2-256) and sizes in bytes of the module as given and as it runs. */
  readonly original: { readonly cid: string; readonly bytes: number };
  readonly instrumented: { readonly cid: string; readonly bytes: number };
  readonly costTable: string;
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  /** Pages of 64 KiB, as the module declares them. */
  readonly memory: { readonly initial: number; readonly max: number | null } | null;
  readonly tables: readonly { readonly initial: number; readonly max: number | null }[];
  readonly globals: number;
  readonly dataSegments: number;
  readonly features: readonly string[];
  readonly instructions: Readonly<Record<InstructionClass, number>>;
  readonly functions: {
    readonly count: number;
    readonly loops: number;
    readonly recursive: number;
    readonly largestFrame: number;
    readonly largestBytes: number;
    /** The costliest ones, costliest first. */
    readonly costliest: readonly FunctionFacts[];
  };
}

/** The static check of a module and what it found. Throws as `validateModule`. */
export function analyseModule(hash: Hash, source: ModuleSource): ModuleFacts {
  const { bytes, shape, costTable } = validateModule(source);
  const scanner = new FunctionScanner(shape, MODULE_LIMITS, true);
  const scanned = shape.bodies.map((_, own) => scanner.scan(own));
  const recursive = recursiveFunctions(shape, scanner, scanned);
  const { classes, features, loops } = countInstructions(shape);
  const functions = scanned.map((facts, own): FunctionFacts => {
    const index = shape.importedFunctions + own;
    const body = shape.bodies[own];
    return {
      index,
      names: shape.exports
        .filter((entry) => entry.kind === "function" && entry.index === index)
        .map(({ name }) => name),
      bytes: body === undefined ? 0 : body.end - body.locals,
      cost: facts.cost + COST_ENTRY,
      frame: facts.frame,
      loops: loops[own]?.count ?? 0,
      loopDepth: loops[own]?.depth ?? 0,
      isRecursive: recursive.has(own),
    };
  });
  const most = (value: (facts: FunctionFacts) => number): number =>
    functions.reduce((largest, facts) => Math.max(largest, value(facts)), 0);
  return {
    original: { cid: rawBlock(hash, source.bytes).cid.toString(), bytes: source.bytes.length },
    instrumented: { cid: rawBlock(hash, bytes).cid.toString(), bytes: bytes.length },
    costTable,
    ...faceOf(shape),
    features,
    instructions: classes,
    functions: {
      count: functions.length,
      loops: functions.reduce((sum, facts) => sum + facts.loops, 0),
      recursive: recursive.size,
      largestFrame: most(({ frame }) => frame),
      largestBytes: most((facts) => facts.bytes),
      costliest: functions.sort((a, b) => b.cost - a.cost || a.index - b.index).slice(0, COSTLIEST_MAX),
    },
  };
}

function faceOf(
  shape: ModuleShape,
): Pick<ModuleFacts, "imports" | "exports" | "memory" | "tables" | "globals" | "dataSegments"> {
  const shown = ({ kind, signature }: External, name: string): string =>
    kind === "function" ? `${name}${signature ?? ""}` : `${name}: ${kind}`;
  const limits = ({ initial, max }: Limits): { initial: number; max: number | null } => ({ initial, max: max ?? null });
  const [memory] = shape.memories;
  return {
    imports: shape.imports.map((entry) => shown(entry, `${entry.module}.${entry.name}`)),
    exports: shape.exports.map((entry) => shown(entry, entry.name)),
    memory: memory === undefined ? null : limits(memory),
    tables: shape.tables.map(limits),
    globals: shape.globals.length,
    dataSegments: shape.dataSegments,
  };
}
