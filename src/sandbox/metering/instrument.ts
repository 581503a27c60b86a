import { BinaryError } from "../wasm/binary.ts";
import { MODULE_LIMITS, type ModuleLimits } from "../wasm/limits.ts";
import { decodeModule, type ModuleShape } from "../wasm/module.ts";
import type { FunctionType, GlobalShape } from "../wasm/shape.ts";
import { ByteWriter } from "../wasm/writer.ts";
import { assemble, grownTo } from "./assembly.ts";
import { Carriers, carrierType, entrance } from "./carriers.ts";
import { COST_TABLE } from "./cost-table.ts";
import { FunctionScanner } from "./function-scan.ts";
import { FunctionTypes } from "./function-types.ts";
import { type AddedFunction, accessorsOf, isExact } from "./global-access.ts";
import { FRAME_MAX, RESERVED_PREFIX } from "./meter.ts";
import { planMetering } from "./metering-plan.ts";
import { Rewriter } from "./rewriter.ts";

const NONE = new Uint8Array(0);

/** A module that uses tail calls, where that is not allowed. */
export class TailCallsError extends BinaryError {}

/** How a module is instrumented. */
export interface InstrumentOptions {
  /** Memory and tables never grow beyond these; growth beyond them fails inside the module, the same on every node. */
  readonly memoryPagesMax: number;
  readonly tableElementsMax: number;
  /** Count fuel and stack. Default: true. */
  readonly meter?: boolean;
  /** Make NaNs canonical where their bits can be seen. Default: true. */
  readonly canonicalNaN?: boolean;
  /** Export the mutable globals (see `GLOBAL_EXPORT`), so that a host can save and restore them. Default: false. */
  readonly exportGlobals?: boolean;
  /** Allow `return_call` and `return_call_indirect`. Default: false. */
  readonly tailCalls?: boolean;
  /** Allow to import memories, tables and globals: their maxima and contents are the host's to answer for. Default: false. */
  readonly foreignImports?: boolean;
  /** Sizes that are allowed. Default: {@link MODULE_LIMITS}. */
  readonly limits?: ModuleLimits;
}

/** A module as it runs. */
export interface Instrumented {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Prices of its instructions, see {@link COST_TABLE}. */
  readonly costTable: string;
  /** What the original says of itself. */
  readonly shape: ModuleShape;
  /** It changes tables or drops segments: state beyond memory and globals. */
  readonly changesTables: boolean;
  /** The numbers of the globals it exports. */
  readonly globals: readonly number[];
}

/**
 * Rewrites a module so that its work is measured and bounded and its results are the same on every machine: fuel and stack are
 * counted in one number, which functions hand to each other and leave in a global (`METER_EXPORT`) for everyone else; NaNs are
 * canonical where their bits can be seen, memory and tables have maxima, the start function becomes an export, custom sections go.
 * Nothing that it imports, exports or computes changes otherwise.
 *
 * The original must be valid by itself (`WebAssembly.validate`): what is added could make an invalid module valid, with another
 * meaning. Throws {@link BinaryError} for what is not allowed.
 */
export function instrument(original: Uint8Array, options: InstrumentOptions): Instrumented {
  const limits = options.limits ?? MODULE_LIMITS;
  if (original.length > limits.moduleBytes)
    throw new BinaryError(`has ${original.length} bytes, more than ${limits.moduleBytes}`);
  const shape = decodeModule(original, limits);
  const reserved = shape.exports.find(({ name }) => name.startsWith(RESERVED_PREFIX));
  if (reserved !== undefined) throw new BinaryError(`exports ${reserved.name}, a name that is reserved`);
  const foreign = shape.imports.find(({ kind }) => kind !== "function");
  if (foreign !== undefined && options.foreignImports !== true)
    throw new BinaryError(`imports a ${foreign.kind}, ${foreign.module}.${foreign.name}`);
  const scanner = new FunctionScanner(shape, limits, options.canonicalNaN ?? true);
  const functions = shape.bodies.map((_, own) => scanner.scan(own));
  if (scanner.facts.usesTailCalls && options.tailCalls !== true) throw new TailCallsError("uses tail calls");
  const plan = planMetering(shape, scanner, functions);
  const large = plan.functions.find(({ frame }) => frame > FRAME_MAX);
  if (large !== undefined) throw new BinaryError(`has a function that needs ${large.frame} values of stack`);
  const meter = (options.meter ?? true) ? shape.globals.length : -1;
  const types = new FunctionTypes(shape);
  const globals = options.exportGlobals === true ? mutableGlobals(shape) : [];
  const accessors = globals.flatMap((index) => accessorsOf(index, shape.globals[index] as GlobalShape));
  const behind = shape.importedFunctions + functions.length + accessors.length;
  const carriers = new Carriers(shape, meter < 0 ? [] : plan.functions, behind);
  const rewriter = new Rewriter({ shape, scanner, functions }, plan, {
    meter,
    carriers: carriers.targets,
    pagesMax: shape.memories[0] === undefined ? -1 : grownTo(shape.memories[0], options.memoryPagesMax),
    blockType: (results) => types.index(NONE, results),
  });
  const written = writeFunctions({ shape, rewriter, carriers, accessors, types, meter });
  const bytes = assemble({
    shape,
    memoryPagesMax: options.memoryPagesMax,
    tableElementsMax: options.tableElementsMax,
    meter,
    exactGlobals: globals.filter((index) => isExact(shape.globals[index] as GlobalShape)),
    accessors,
    types,
    ...written,
  });
  return { bytes, costTable: COST_TABLE, shape, changesTables: scanner.facts.changesTables, globals };
}

interface Functions {
  readonly shape: ModuleShape;
  readonly rewriter: Rewriter;
  readonly carriers: Carriers;
  readonly accessors: readonly AddedFunction[];
  readonly types: FunctionTypes;
  /** Number of the global that holds the meter. */
  readonly meter: number;
}

/** The code section and the types of its functions: the module's own, with entrances for carriers that stand behind; accessors; those carriers. */
function writeFunctions(all: Functions): { functionTypes: number[]; code: ByteWriter } {
  const { shape, rewriter, carriers, accessors, types, meter } = all;
  const { importedFunctions, bodies } = shape;
  const functionTypes: number[] = [];
  const original = (own: number): number => shape.functionTypes[importedFunctions + own] as number;
  const code = new ByteWriter(shape.bytes.length * 2);
  code.u32(bodies.length + accessors.length + carriers.behind.length);
  const append = (body: Uint8Array, type: number): void => {
    functionTypes.push(type);
    code.u32(body.length);
    code.copy(body);
  };
  const typeOf = (own: number): FunctionType => shape.types[original(own)] as FunctionType;
  for (let own = 0; own < bodies.length; own++) {
    const target = carriers.targets[own] as number;
    if (target > importedFunctions + own) append(entrance(typeOf(own), target, meter), original(own));
    else {
      functionTypes.push(target < 0 ? original(own) : carrierType(typeOf(own), types));
      rewriter.write(own, code);
    }
  }
  for (const { body, parameters, results } of accessors) append(body, types.index(parameters, results));
  for (const own of carriers.behind) {
    functionTypes.push(carrierType(typeOf(own), types));
    rewriter.write(own, code);
  }
  return { functionTypes, code };
}

function mutableGlobals(shape: ModuleShape): number[] {
  return shape.globals.flatMap(({ isMutable }, index) => (isMutable ? [index] : []));
}
