import type { Section } from "../wasm/binary.ts";
import { BinaryError, SECTION } from "../wasm/binary.ts";
import { MODULE_LIMITS, type ModuleLimits } from "../wasm/limits.ts";
import { decodeModule, type Limits, type ModuleShape } from "../wasm/module.ts";
import { ByteWriter } from "../wasm/writer.ts";
import { planMetering } from "./call-graph.ts";
import { COST_TABLE } from "./cost-table.ts";
import { FunctionScanner } from "./function-scan.ts";
import { type AddedFunction, accessors, isExact } from "./global-access.ts";
import { FRAME_MAX, GLOBAL_EXPORT, METER_EXPORT, RESERVED_PREFIX, START_EXPORT } from "./meter.ts";
import { Rewriter } from "./rewriter.ts";

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
  /** Export the mutable globals (see {@link GLOBAL_EXPORT}), so that a host can save and restore them. Default: false. */
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
 * counted in a global ({@link METER_EXPORT}), NaNs are canonical where their bits can be seen, memory and tables have maxima, the
 * start function becomes an export, custom sections go. Nothing that it imports, exports or computes changes otherwise.
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
  const rewriter = new Rewriter({ shape, scanner, functions }, plan, {
    meter,
    pagesMax: shape.memories[0] === undefined ? -1 : grownTo(shape.memories[0], options.memoryPagesMax),
    blockType: (results) => types.index(NONE, results),
  });
  const globals = options.exportGlobals === true ? mutableGlobals(shape) : [];
  const added = globals.flatMap((index) => accessorsOf(shape, index));
  const code = new ByteWriter(original.length * 2);
  code.u32(functions.length + added.length);
  for (let own = 0; own < functions.length; own++) rewriter.write(own, code);
  for (const { body, parameters, results } of added) {
    code.u32(body.length);
    code.copy(body);
    types.index(parameters, results);
  }
  const assembly = { shape, options, meter, globals, added, types, code };
  return {
    bytes: assemble(assembly),
    costTable: COST_TABLE,
    shape,
    changesTables: scanner.facts.changesTables,
    globals,
  };
}

function mutableGlobals(shape: ModuleShape): number[] {
  return shape.globals.flatMap(({ isMutable }, index) => (isMutable ? [index] : []));
}

/** The functions through which a host reads and writes a global that JavaScript cannot read exactly. */
function accessorsOf(shape: ModuleShape, index: number): AddedFunction[] {
  const global = shape.globals[index];
  return global === undefined || isExact(global) ? [] : accessors(index, global);
}

const NONE = new Uint8Array(0);

/** Types that the blocks around bodies and added functions need and that the module may lack. */
class FunctionTypes {
  readonly added: { readonly parameters: Uint8Array; readonly results: Uint8Array }[] = [];
  private readonly known = new Map<string, number>();
  private readonly count: number;

  constructor(shape: ModuleShape) {
    this.count = shape.types.length;
    for (const [index, { parameters, results }] of shape.types.entries())
      this.known.set(`${parameters.join()}>${results.join()}`, index);
  }

  index(parameters: Uint8Array, results: Uint8Array): number {
    const key = `${parameters.join()}>${results.join()}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const index = this.count + this.added.length;
    this.added.push({ parameters, results });
    this.known.set(key, index);
    return index;
  }
}

interface Assembly {
  readonly shape: ModuleShape;
  readonly options: InstrumentOptions;
  readonly meter: number;
  readonly globals: readonly number[];
  readonly added: readonly AddedFunction[];
  readonly types: FunctionTypes;
  readonly code: ByteWriter;
}

/** Sections in the order in which they have to stand; the start section is left out. */
const ORDER = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.global,
  SECTION.export,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
];

function assemble(assembly: Assembly): Uint8Array<ArrayBuffer> {
  const { shape } = assembly;
  const module = new ByteWriter(shape.bytes.length * 2 + 256);
  module.copy(shape.bytes, 0, 8);
  for (const id of ORDER) {
    const original = shape.sections.find((section) => section.id === id);
    const content = sectionOf(id, original, assembly);
    if (content === undefined) {
      if (original !== undefined) module.copy(shape.bytes, original.from, original.end);
      continue;
    }
    module.byte(id);
    module.u32(content.size);
    module.append(content);
  }
  return module.take();
}

/** A section's new content, or `undefined` for one that stays as it is, or away. */
function sectionOf(id: number, original: Section | undefined, assembly: Assembly): ByteWriter | undefined {
  const { shape, options, meter, added, types, code } = assembly;
  switch (id) {
    case SECTION.type:
      return types.added.length === 0
        ? undefined
        : longer(shape, original, types.added, (writer, { parameters, results }) => {
            writer.byte(0x60);
            for (const part of [parameters, results]) {
              writer.u32(part.length);
              writer.copy(part);
            }
          });
    case SECTION.function:
      return added.length === 0
        ? undefined
        : longer(shape, original, added, (writer, { parameters, results }) =>
            writer.u32(types.index(parameters, results)),
          );
    case SECTION.table:
      return listed(shape.tables, (writer, table) => {
        writer.byte(table.reference);
        writeLimits(writer, table, options.tableElementsMax);
      });
    case SECTION.memory:
      return listed(shape.memories, (writer, memory) => writeLimits(writer, memory, options.memoryPagesMax));
    case SECTION.global:
      return meter < 0
        ? undefined
        : longer(shape, original, [0], (writer) => writer.copy(Uint8Array.of(0x7e, 0x01, 0x42, 0x00, 0x0b)));
    case SECTION.export:
      return longer(shape, original, ownExports(assembly), (writer, { name, kind, index }) => {
        writer.name(name);
        writer.byte(kind);
        writer.u32(index);
      });
    case SECTION.code:
      return original === undefined && added.length === 0 ? undefined : code;
    default:
      return undefined;
  }
}

function ownExports({ shape, meter, globals, added }: Assembly): { name: string; kind: number; index: number }[] {
  const first = shape.importedFunctions + shape.bodies.length;
  const exact = globals.filter((index) => accessorsOf(shape, index).length === 0);
  const exports = [
    ...exact.map((index) => ({ name: `${GLOBAL_EXPORT}${index}`, kind: 3, index })),
    ...added.map(({ name }, i) => ({ name, kind: 0, index: first + i })),
  ];
  if (meter >= 0) exports.push({ name: METER_EXPORT, kind: 3, index: meter });
  if (shape.start !== undefined) exports.push({ name: START_EXPORT, kind: 0, index: shape.start });
  return exports;
}

/** A section with more items at its end, so that no index moves. */
function longer<T>(
  shape: ModuleShape,
  original: Section | undefined,
  added: readonly T[],
  write: (writer: ByteWriter, item: T) => void,
): ByteWriter {
  const writer = new ByteWriter(256);
  const [count, rest] = original === undefined ? [0, 0] : countOf(shape.bytes, original);
  writer.u32(count + added.length);
  if (original !== undefined) writer.copy(shape.bytes, rest, original.end);
  for (const item of added) write(writer, item);
  return writer;
}

/** The number of items in a section, and where the first begins. The module is valid, so it fits 32 bits. */
function countOf(bytes: Uint8Array, section: Section): readonly [count: number, at: number] {
  let count = 0;
  let at = section.start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    count += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [count, at];
  }
}

function listed<T>(items: readonly T[], write: (writer: ByteWriter, item: T) => void): ByteWriter | undefined {
  if (items.length === 0) return undefined;
  const writer = new ByteWriter(64);
  writer.u32(items.length);
  for (const item of items) write(writer, item);
  return writer;
}

function writeLimits(writer: ByteWriter, limits: Limits, cap: number): void {
  writer.byte(1);
  writer.u32(limits.initial);
  writer.u32(grownTo(limits, cap));
}

/** The size to which a memory or table may grow. */
function grownTo({ initial, max }: Limits, cap: number): number {
  return Math.max(initial, Math.min(max ?? cap, cap));
}
