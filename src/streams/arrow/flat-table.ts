/**
 * A table of FlatBuffers (the format of Arrow's metadata), read in place. Fields are counted from 0; one that is absent gives the default. What lies
 * outside of the bytes throws a `RangeError`.
 */
export class FlatTable {
  private readonly view: DataView;
  private readonly at: number;

  private constructor(view: DataView, at: number) {
    this.view = view;
    this.at = at;
  }

  /** The root table of a buffer. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  i8(field: number, otherwise = 0): number {
    const at = this.place(field);
    return at === 0 ? otherwise : this.view.getInt8(at);
  }

  i16(field: number, otherwise = 0): number {
    const at = this.place(field);
    return at === 0 ? otherwise : this.view.getInt16(at, true);
  }

  i32(field: number, otherwise = 0): number {
    const at = this.place(field);
    return at === 0 ? otherwise : this.view.getInt32(at, true);
  }

  i64(field: number): number {
    const at = this.place(field);
    return at === 0 ? 0 : Number(this.view.getBigInt64(at, true));
  }

  table(field: number): FlatTable | undefined {
    const at = this.place(field);
    return at === 0 ? undefined : new FlatTable(this.view, at + this.view.getUint32(at, true));
  }

  text(field: number): string {
    const at = this.place(field);
    if (at === 0) return "";
    const start = at + this.view.getUint32(at, true);
    const length = this.view.getUint32(start, true);
    const bytes = new Uint8Array(this.view.buffer, this.view.byteOffset + start + 4, length);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  }

  /** Tables of a list, at most so many. */
  tables(field: number, most: number): FlatTable[] {
    const { start, length } = this.list(field, most);
    return Array.from({ length }, (_, i) => {
      const at = start + 4 * i;
      return new FlatTable(this.view, at + this.view.getUint32(at, true));
    });
  }

  /** Pairs of 64-bit numbers of a list, at most so many. */
  pairs(field: number, most: number): (readonly [number, number])[] {
    const { start, length } = this.list(field, most);
    return Array.from({ length }, (_, i) => {
      const at = start + 16 * i;
      return [Number(this.view.getBigInt64(at, true)), Number(this.view.getBigInt64(at + 8, true))] as const;
    });
  }

  private list(field: number, most: number): { readonly start: number; readonly length: number } {
    const at = this.place(field);
    if (at === 0) return { start: 0, length: 0 };
    const start = at + this.view.getUint32(at, true);
    const length = this.view.getUint32(start, true);
    if (length > most) throw new RangeError(`a list of ${length}`);
    return { start: start + 4, length };
  }

  /** Where a field lies; 0 when it is absent. */
  private place(field: number): number {
    const { view, at } = this;
    const vtable = at - view.getInt32(at, true);
    const slot = 4 + 2 * field;
    if (slot >= view.getUint16(vtable, true)) return 0;
    const offset = view.getUint16(vtable + slot, true);
    return offset === 0 ? 0 : at + offset;
  }
}
