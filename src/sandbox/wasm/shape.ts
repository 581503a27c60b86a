import type { Section } from "./binary.ts";

/** Kinds of imports and exports, by their number in a module. */
export const EXTERNAL_KINDS = ["function", "table", "memory", "global"] as const;

/** One of {@link EXTERNAL_KINDS}. */
export type ExternalKind = (typeof EXTERNAL_KINDS)[number];

/** A function's type: value types as bytes of the format, and as one text, `(i32,i32)->i32`. */
export interface FunctionType {
  readonly parameters: Uint8Array;
  readonly results: Uint8Array;
  readonly signature: string;
}

/** Size of a memory in pages or of a table in elements. */
export interface Limits {
  readonly initial: number;
  readonly max: number | undefined;
}

/** A table's limits and the byte of its reference type. */
export interface TableShape extends Limits {
  readonly reference: number;
}

/** A global: the byte of its type, and whether it changes. */
export interface GlobalShape {
  readonly type: number;
  readonly isMutable: boolean;
}

/** Something a module takes or gives. `signature` is absent for what is no function. */
export interface External {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
  readonly signature: string | undefined;
}

/** An import, with the module it is asked of; `index` is its number among imports of its kind. */
export interface Import extends External {
  readonly module: string;
}

/** Where a function's body stands: `locals` is where its declarations begin, `end` is exclusive. */
export interface BodyRange {
  readonly locals: number;
  readonly end: number;
}

/** All that the sections of a module say, but for what its functions do. */
export interface ModuleShape {
  readonly bytes: Uint8Array;
  readonly sections: readonly Section[];
  readonly types: readonly FunctionType[];
  readonly imports: readonly Import[];
  readonly importedFunctions: number;
  /** Type of each function, imported ones first. */
  readonly functionTypes: Uint32Array;
  readonly tables: readonly TableShape[];
  readonly memories: readonly Limits[];
  /** Imported ones first. */
  readonly globals: readonly GlobalShape[];
  readonly exports: readonly External[];
  readonly start: number | undefined;
  /** Functions that element segments and globals refer to: they can be called through a table. */
  readonly referenced: ReadonlySet<number>;
  readonly bodies: readonly BodyRange[];
  readonly dataSegments: number;
  /** Segments that instructions may use and drop: passive ones. */
  readonly hasPassiveSegments: boolean;
}
