import type { ModuleShape } from "../wasm/module.ts";

/** Types that the blocks around bodies and added functions need and that the module may lack. */
export class FunctionTypes {
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
