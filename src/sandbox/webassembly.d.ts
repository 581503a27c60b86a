/**
 * The part of the WebAssembly JavaScript interface that the sandbox uses. TypeScript declares it only for browsers
 * (`lib.dom`), whose other names have no meaning here.
 */
declare namespace WebAssembly {
  /** Compiled code; it can be posted to another thread, which then shares it. */
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
    static imports(module: Module): { readonly module: string; readonly name: string; readonly kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
  class Memory {
    private constructor();
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB. Throws a `RangeError` beyond the maximum, or where there is no memory. */
    grow(pages: number): number;
  }
  class Global {
    private constructor();
    value: unknown;
  }
  class RuntimeError extends Error {}
  function validate(bytes: Uint8Array<ArrayBuffer>): boolean;
  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>;
}
