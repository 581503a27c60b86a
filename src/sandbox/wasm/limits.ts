/** Sizes that a module may have. Engines allow more; what runs here is bounded in the time and memory that reading it takes. */
export interface ModuleLimits {
  /** Bytes of the whole module. */
  readonly moduleBytes: number;
  readonly types: number;
  /** Parameters, or results, of one type. */
  readonly typeValues: number;
  readonly imports: number;
  readonly functions: number;
  readonly tables: number;
  readonly globals: number;
  readonly exports: number;
  /** Data segments, and element segments. */
  readonly segments: number;
  /** Elements of one segment. */
  readonly segmentItems: number;
  /** Bytes of one function. */
  readonly bodyBytes: number;
  /** Locals of one function, parameters included. */
  readonly locals: number;
  /** Blocks inside each other. */
  readonly nesting: number;
  /** Targets of one `br_table`. */
  readonly branchTargets: number;
}

/** Parameters, or results, of one type that engines allow (WebAssembly JavaScript interface, implementation limits). */
export const ENGINE_TYPE_VALUES_MAX = 1000;

/** The limits of modules that strangers hand in. */
export const MODULE_LIMITS: ModuleLimits = {
  moduleBytes: 8 * 1024 * 1024,
  types: 10_000,
  typeValues: 64,
  imports: 256,
  functions: 20_000,
  tables: 16,
  globals: 1000,
  exports: 10_000,
  segments: 10_000,
  segmentItems: 10_000,
  bodyBytes: 512 * 1024,
  locals: 2000,
  nesting: 256,
  branchTargets: 4096,
};
