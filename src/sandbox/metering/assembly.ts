import type { Section } from "../wasm/binary.ts";
import { SECTION } from "../wasm/binary.ts";
import type { Limits, ModuleShape } from "../wasm/module.ts";
import { ByteWriter } from "../wasm/writer.ts";
import type { FunctionTypes } from "./function-types.ts";
import type { AddedFunction } from "./global-access.ts";
import { GLOBAL_EXPORT, METER_EXPORT, START_EXPORT } from "./meter.ts";

/** The parts that a rewritten module is made of. */
export interface Assembly {
  readonly shape: ModuleShape;
  /** Memory and tables never grow beyond these. */
  readonly memoryPagesMax: number;
  readonly tableElementsMax: number;
  /** Number of the global that holds the meter; -1: there is none. */
  readonly meter: number;
  /** Numbers of the globals that are exported as they are. */
  readonly exactGlobals: readonly number[];
  /** Functions that are exported and stand behind those of the module. */
  readonly accessors: readonly AddedFunction[];
  readonly types: FunctionTypes;
  /** Type of each function but the imported ones. */
  readonly functionTypes: readonly number[];
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

/** Puts a module together: sections that do not change are copied. */
export function assemble(assembly: Assembly): Uint8Array<ArrayBuffer> {
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
  const { shape, meter, types, functionTypes, code } = assembly;
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
      return listed(functionTypes, (writer, type) => writer.u32(type));
    case SECTION.table:
      return listed(shape.tables, (writer, table) => {
        writer.byte(table.reference);
        writeLimits(writer, table, assembly.tableElementsMax);
      });
    case SECTION.memory:
      return listed(shape.memories, (writer, memory) => writeLimits(writer, memory, assembly.memoryPagesMax));
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
      return functionTypes.length === 0 ? undefined : code;
    default:
      return undefined;
  }
}

function ownExports({
  shape,
  meter,
  exactGlobals,
  accessors,
}: Assembly): { name: string; kind: number; index: number }[] {
  const first = shape.importedFunctions + shape.bodies.length;
  const exports = [
    ...exactGlobals.map((index) => ({ name: `${GLOBAL_EXPORT}${index}`, kind: 3, index })),
    ...accessors.map(({ name }, i) => ({ name, kind: 0, index: first + i })),
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
export function grownTo({ initial, max }: Limits, cap: number): number {
  return Math.max(initial, Math.min(max ?? cap, cap));
}
