import type { Section } from "./binary.ts";
import { BinaryError, ByteReader, hasHeader, readSections, SECTION } from "./binary.ts";
import type { ModuleLimits } from "./limits.ts";
import { TYPE } from "./opcodes.ts";
import {
  type BodyRange,
  EXTERNAL_KINDS,
  type External,
  type ExternalKind,
  type FunctionType,
  type GlobalShape,
  type Import,
  type Limits,
  type ModuleShape,
  type TableShape,
} from "./shape.ts";

export type { External, Limits, ModuleShape } from "./shape.ts";

/**
 * Reads the sections of a module that an engine has found valid. Throws {@link BinaryError} for what cannot be read, for
 * features that are not allowed, by name, and for what passes a limit.
 */
export function decodeModule(bytes: Uint8Array, limits: ModuleLimits): ModuleShape {
  if (!hasHeader(bytes)) throw new BinaryError("is not a WebAssembly module of version 1");
  return new ModuleDecoder(bytes, limits).decode();
}

class ModuleDecoder {
  private readonly bytes: Uint8Array;
  private readonly limits: ModuleLimits;
  private readonly sections: readonly Section[];
  private readonly referenced = new Set<number>();
  private hasPassive = false;
  private types: FunctionType[] = [];
  private readonly importedGlobals: GlobalShape[] = [];

  constructor(bytes: Uint8Array, limits: ModuleLimits) {
    this.bytes = bytes;
    this.limits = limits;
    this.sections = readSections(bytes);
  }

  decode(): ModuleShape {
    if (this.reader(SECTION.tag) !== undefined) throw new BinaryError("uses exceptions");
    const { limits } = this;
    this.types = this.items(SECTION.type, limits.types, "types", (reader) => this.functionType(reader));
    const counts = { function: 0, table: 0, memory: 0, global: 0 };
    const importedTypes: number[] = [];
    const imports = this.items(SECTION.import, limits.imports, "imports", (reader) =>
      this.import(reader, counts, importedTypes),
    );
    const ownTypes = this.items(SECTION.function, limits.functions, "functions", (reader) => this.typeIndex(reader));
    const functionTypes = Uint32Array.from([...importedTypes, ...ownTypes]);
    const tables = this.items(SECTION.table, limits.tables, "tables", tableShape);
    const memories = this.items(SECTION.memory, 1, "memories", limitsOf);
    if (counts.memory + memories.length > 1) throw new BinaryError("uses several memories");
    const own = this.items(SECTION.global, limits.globals, "globals", (reader) => this.global(reader));
    const globals = [...this.importedGlobals, ...own];
    const exports = this.items(SECTION.export, limits.exports, "exports", (reader) =>
      this.export(reader, functionTypes),
    );
    this.items(SECTION.element, limits.segments, "element segments", (reader) => this.element(reader));
    const dataSegments = this.items(SECTION.data, limits.segments, "data segments", (reader) => this.data(reader));
    const bodies = this.items(SECTION.code, limits.functions, "bodies", (reader) => this.body(reader));
    if (bodies.length !== ownTypes.length) throw new BinaryError("has not one body for each function");
    return {
      bytes: this.bytes,
      sections: this.sections,
      types: this.types,
      imports,
      importedFunctions: importedTypes.length,
      functionTypes,
      tables,
      memories,
      globals,
      exports,
      start: this.reader(SECTION.start)?.u32(),
      referenced: this.referenced,
      bodies,
      dataSegments: dataSegments.length,
      hasPassiveSegments: this.hasPassive,
    };
  }

  private reader(id: number): ByteReader | undefined {
    const section = this.sections.find((candidate) => candidate.id === id);
    return section && new ByteReader(this.bytes, section.start, section.end);
  }

  private items<T>(id: number, max: number, what: string, read: (reader: ByteReader) => T): T[] {
    const reader = this.reader(id);
    if (reader === undefined) return [];
    const count = reader.u32();
    if (count > max) throw new BinaryError(`has ${count} ${what}, more than ${max}`);
    const all: T[] = [];
    for (let i = 0; i < count; i++) all.push(read(reader));
    if (!reader.done) throw new BinaryError(`has bytes after the last of its ${what}, at byte ${reader.at}`);
    return all;
  }

  private functionType(reader: ByteReader): FunctionType {
    // Only function types: the forms of garbage-collected types are refused.
    if (reader.byte() !== 0x60) throw new BinaryError("uses types of garbage collection");
    const parameters = this.valueTypes(reader);
    const results = this.valueTypes(reader);
    const names = (types: Uint8Array): string => Array.from(types, (type) => VALUE_TYPES.get(type)?.name).join(",");
    return { parameters, results, signature: `(${names(parameters)})->${names(results) || "()"}` };
  }

  private valueTypes(reader: ByteReader): Uint8Array {
    const count = reader.u32();
    if (count > this.limits.typeValues)
      throw new BinaryError(`has a type with ${count} values, more than ${this.limits.typeValues}`);
    return Uint8Array.from({ length: count }, () => valueType(reader));
  }

  private typeIndex(reader: ByteReader): number {
    const index = reader.u32();
    if (index >= this.types.length) throw new BinaryError(`names type ${index}, which it lacks`);
    return index;
  }

  private import(reader: ByteReader, counts: Record<ExternalKind, number>, types: number[]): Import {
    const module = reader.name();
    const name = reader.name();
    const kind = externalKind(reader);
    let signature: string | undefined;
    if (kind === "function") {
      const type = this.typeIndex(reader);
      types.push(type);
      signature = this.types[type]?.signature;
    } else if (kind === "table") tableShape(reader);
    else if (kind === "memory") limitsOf(reader);
    else this.importedGlobals.push(globalType(reader));
    return { module, name, kind, index: counts[kind]++, signature };
  }

  private global(reader: ByteReader): GlobalShape {
    const shape = globalType(reader);
    this.constant(reader);
    return shape;
  }

  private export(reader: ByteReader, functionTypes: Uint32Array): External {
    const name = reader.name();
    const kind = externalKind(reader);
    const index = reader.u32();
    const signature = kind === "function" ? this.types[functionTypes[index] ?? -1]?.signature : undefined;
    return { name, kind, index, signature };
  }

  /** An element segment in any of its eight forms (5.5.12). */
  private element(reader: ByteReader): void {
    const form = reader.u32();
    if (form > 7) throw new BinaryError(`has an element segment of unknown form ${form}`);
    const isPassive = (form & 1) === 1;
    if (isPassive) this.hasPassive ||= (form & 2) === 0;
    else {
      if ((form & 2) === 2) reader.u32();
      this.constant(reader);
    }
    const isExpressions = (form & 4) === 4;
    if ((form & 3) !== 0) {
      if (isExpressions) valueType(reader);
      else if (reader.byte() !== 0) throw new BinaryError("has an element segment of something else than functions");
    }
    const count = reader.u32();
    if (count > this.limits.segmentItems)
      throw new BinaryError(`has an element segment of ${count} items, more than ${this.limits.segmentItems}`);
    for (let i = 0; i < count; i++) {
      if (isExpressions) this.constant(reader);
      else this.referenced.add(reader.u32());
    }
  }

  private data(reader: ByteReader): void {
    const form = reader.u32();
    if (form > 2) throw new BinaryError(`has a data segment of unknown form ${form}`);
    if (form === 1) this.hasPassive = true;
    if (form === 2) reader.u32();
    if (form !== 1) this.constant(reader);
    reader.skip(reader.u32());
  }

  /** A constant expression (3.3.10). */
  private constant(reader: ByteReader): void {
    for (let i = 0; ; i++) {
      const op = reader.byte();
      if (op === 0x0b) return;
      if (i > 0) throw new BinaryError("uses extended constant expressions");
      if (op === 0x41 || op === 0x42) reader.skipSigned();
      else if (op === 0x43) reader.skip(4);
      else if (op === 0x44) reader.skip(8);
      else if (op === 0x23) reader.u32();
      else if (op === 0xd0) reader.byte();
      else if (op === 0xd2) this.referenced.add(reader.u32());
      else if (op === 0xfd && reader.u32() === 12) reader.skip(16);
      else throw new BinaryError(`uses instruction 0x${op.toString(16)} in a constant`);
    }
  }

  private body(reader: ByteReader): BodyRange {
    const size = reader.u32();
    if (size > this.limits.bodyBytes)
      throw new BinaryError(`has a function of ${size} bytes, more than ${this.limits.bodyBytes}`);
    const locals = reader.at;
    reader.skip(size);
    return { locals, end: reader.at };
  }
}

/** Value types by their byte: name, and number in the tables of instructions. */
export const VALUE_TYPES: ReadonlyMap<number, { readonly name: string; readonly type: number }> = new Map([
  [0x7f, { name: "i32", type: TYPE.i32 }],
  [0x7e, { name: "i64", type: TYPE.i64 }],
  [0x7d, { name: "f32", type: TYPE.f32 }],
  [0x7c, { name: "f64", type: TYPE.f64 }],
  [0x7b, { name: "v128", type: TYPE.v128 }],
  [0x70, { name: "funcref", type: TYPE.reference }],
  [0x6f, { name: "externref", type: TYPE.reference }],
]);

function valueType(reader: ByteReader): number {
  const code = reader.byte();
  if (!VALUE_TYPES.has(code)) throw new BinaryError(`uses the value type 0x${code.toString(16)}`);
  return code;
}

function externalKind(reader: ByteReader): ExternalKind {
  const number = reader.byte();
  const kind = EXTERNAL_KINDS[number];
  if (kind === undefined)
    throw new BinaryError(number === 4 ? "uses exceptions" : "has an import or export of unknown kind");
  return kind;
}

function globalType(reader: ByteReader): GlobalShape {
  const type = valueType(reader);
  const flag = reader.byte();
  if (flag > 1) throw new BinaryError("has a shared global");
  return { type, isMutable: flag === 1 };
}

function tableShape(reader: ByteReader): TableShape {
  const reference = reader.byte();
  if (reference === 0x40) throw new BinaryError("uses typed function references");
  if (reference !== 0x70 && reference !== 0x6f)
    throw new BinaryError("has a table that is neither of functions nor of references");
  return { reference, ...limitsOf(reader) };
}

function limitsOf(reader: ByteReader): Limits {
  const flags = reader.byte();
  if ((flags & 2) !== 0) throw new BinaryError("uses threads and atomics: a memory or table is shared");
  if ((flags & 4) !== 0) throw new BinaryError("uses memory64: a memory or table has 64-bit addresses");
  if (flags > 1) throw new BinaryError("has a memory with pages of another size");
  const initial = reader.u32();
  return { initial, max: flags === 1 ? reader.u32() : undefined };
}
