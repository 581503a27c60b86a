import type { Section } from "./binary.ts";
import { BinaryError, ByteReader, SECTION } from "./binary.ts";
import { IMPORTS_MAX, TYPE_VALUES_MAX } from "./limits.ts";

/** Kinds of imports and exports, by their number in a module. */
export const EXTERNAL_KINDS = ["function", "table", "memory", "global", "tag"] as const;

/** One of {@link EXTERNAL_KINDS}. */
export type ExternalKind = (typeof EXTERNAL_KINDS)[number];

/** Size of a memory in pages or of a table in elements. */
export interface Limits {
  readonly initial: number;
  readonly max: number | undefined;
}

/** A table's limits and the bytes of its reference type. */
export interface TableShape extends Limits {
  readonly reference: number;
}

/** Something a module takes or gives. `signature` is written `(i32,i32)->i32`; it is absent for what is no function. */
export interface External {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
  readonly signature: string | undefined;
}

/** What a module's sections say about its face to the outside. */
export interface ModuleShape {
  readonly imports: readonly (External & { readonly module: string })[];
  readonly exports: readonly External[];
  readonly memories: readonly Limits[];
  readonly tables: readonly TableShape[];
  readonly hasStart: boolean;
}

/** Reads a module's face from its sections. Throws {@link BinaryError}, also for features that modules may not use. */
export function readShape(bytes: Uint8Array, sections: readonly Section[]): ModuleShape {
  const of = (id: number): ByteReader | undefined => {
    const section = sections.find((candidate) => candidate.id === id);
    return section && new ByteReader(bytes, section.start, section.end);
  };
  if (of(SECTION.tag) !== undefined) throw new BinaryError("uses exceptions");
  const types = items(of(SECTION.type), readType);
  const imports = items(of(SECTION.import), (reader) => readImport(reader, types), IMPORTS_MAX);
  const imported = imports.filter((entry) => entry.kind === "function").map((entry) => entry.signature);
  const own = items(of(SECTION.function), (reader) => types[reader.u32()]);
  const signatures = [...imported, ...own];
  const tables = items(of(SECTION.table), readTable);
  const memories = items(of(SECTION.memory), readLimits);
  const exports = items(of(SECTION.export), (reader): External => {
    const name = reader.name();
    const kind = externalKind(reader);
    const index = reader.u32();
    return { name, kind, index, signature: kind === "function" ? signatures[index] : undefined };
  });
  return { imports, exports, memories, tables, hasStart: of(SECTION.start) !== undefined };
}

function items<T>(reader: ByteReader | undefined, read: (reader: ByteReader) => T, max?: number): T[] {
  if (reader === undefined) return [];
  const count = reader.count(max);
  const all: T[] = [];
  for (let i = 0; i < count; i++) all.push(read(reader));
  if (!reader.done) throw new BinaryError(`has bytes after a section's last item, at byte ${reader.at}`);
  return all;
}

const VALUE_TYPES = new Map([
  [0x7f, "i32"],
  [0x7e, "i64"],
  [0x7d, "f32"],
  [0x7c, "f64"],
  [0x7b, "v128"],
  [0x70, "funcref"],
  [0x6f, "externref"],
]);

function readType(reader: ByteReader): string {
  // Only function types: the forms of garbage-collected types are refused.
  if (reader.byte() !== 0x60) throw new BinaryError("uses types other than functions");
  const parameters = valueTypes(reader);
  const results = valueTypes(reader);
  return `(${parameters})->${results === "" ? "()" : results}`;
}

function valueTypes(reader: ByteReader): string {
  const count = reader.count(TYPE_VALUES_MAX);
  const names: string[] = [];
  for (let i = 0; i < count; i++) names.push(valueType(reader));
  return names.join(",");
}

function valueType(reader: ByteReader): string {
  const code = reader.byte();
  const name = VALUE_TYPES.get(code);
  if (name === undefined) throw new BinaryError(`uses the value type 0x${code.toString(16)}`);
  return name;
}

function readImport(reader: ByteReader, types: readonly string[]): External & { module: string } {
  const module = reader.name();
  const name = reader.name();
  const kind = externalKind(reader);
  let signature: string | undefined;
  if (kind === "function") signature = types[reader.u32()];
  else if (kind === "table") readTable(reader);
  else if (kind === "memory") readLimits(reader);
  else if (kind === "global") {
    valueType(reader);
    reader.byte();
  } else throw new BinaryError("uses exceptions");
  return { module, name, kind, index: 0, signature };
}

function externalKind(reader: ByteReader): ExternalKind {
  const kind = EXTERNAL_KINDS[reader.byte()];
  if (kind === undefined) throw new BinaryError("has an import or export of unknown kind");
  return kind;
}

function readTable(reader: ByteReader): TableShape {
  const reference = reader.byte();
  if (reference !== 0x70 && reference !== 0x6f)
    throw new BinaryError("has a table that is neither of functions nor of references");
  return { reference, ...readLimits(reader) };
}

function readLimits(reader: ByteReader): Limits {
  const flags = reader.byte();
  // 0x02: shared between threads; 0x04: 64-bit; 0x08: pages of another size.
  if (flags > 1) throw new BinaryError("has a shared, 64-bit or custom-page memory or table");
  const initial = reader.u32();
  return { initial, max: flags === 1 ? reader.u32() : undefined };
}
