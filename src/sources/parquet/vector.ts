/** Bytes of a page's texts after its dictionary is applied. */
const TEXT_BYTES_MAX = 1024 * 1024 * 1024;

/**
 * Values of a page without nulls, as little-endian bytes. `fixed` has one width; `bits` one byte a value, 0 or 1; `text`
 * holds byte strings by their ends.
 */
export type Vector =
  | { readonly kind: "fixed"; readonly count: number; readonly width: number; readonly bytes: Uint8Array }
  | { readonly kind: "bits"; readonly count: number; readonly bytes: Uint8Array }
  | { readonly kind: "text"; readonly count: number; readonly bytes: Uint8Array; readonly offsets: Int32Array };

/** The values at those indices. Throws RangeError on an index beyond the dictionary. */
export function gather(from: Vector, indices: Uint32Array): Vector {
  checkIndices(indices, from.count);
  const count = indices.length;
  if (from.kind === "text") return gatherText(from, indices);
  if (from.kind === "bits")
    return {
      kind: "bits",
      count,
      bytes: indices.length === 0 ? new Uint8Array(0) : Uint8Array.from(indices, (i) => from.bytes[i] as number),
    };
  const { width } = from;
  const bytes = new Uint8Array(count * width);
  if (width === 8) {
    const source = new Int32Array(from.bytes.buffer, from.bytes.byteOffset, 2 * from.count);
    const target = new Int32Array(bytes.buffer);
    for (let i = 0; i < count; i++) {
      const index = indices[i] as number;
      target[2 * i] = source[2 * index] as number;
      target[2 * i + 1] = source[2 * index + 1] as number;
    }
  } else if (width === 4) {
    const source = new Int32Array(from.bytes.buffer, from.bytes.byteOffset, from.count);
    const target = new Int32Array(bytes.buffer);
    for (let i = 0; i < count; i++) target[i] = source[indices[i] as number] as number;
  } else {
    for (let i = 0; i < count; i++) {
      const index = indices[i] as number;
      for (let k = 0; k < width; k++) bytes[i * width + k] = from.bytes[index * width + k] as number;
    }
  }
  return { kind: "fixed", count, width, bytes };
}

/** Throws RangeError when an index is not below `count`. */
export function checkIndices(indices: Uint32Array, count: number): void {
  let most = -1;
  for (let i = 0; i < indices.length; i++) if ((indices[i] as number) > most) most = indices[i] as number;
  if (most >= count) throw new RangeError(`index ${most} in a dictionary of ${count}`);
}

function gatherText(from: Vector & { kind: "text" }, indices: Uint32Array): Vector {
  const count = indices.length;
  const offsets = new Int32Array(count + 1);
  let length = 0;
  for (let i = 0; i < count; i++) {
    const index = indices[i] as number;
    length += (from.offsets[index + 1] as number) - (from.offsets[index] as number);
    if (length > TEXT_BYTES_MAX) throw new RangeError(`a page's values need more than ${TEXT_BYTES_MAX} bytes`);
    offsets[i + 1] = length;
  }
  const bytes = new Uint8Array(length);
  for (let i = 0; i < count; i++) {
    const index = indices[i] as number;
    bytes.set(from.bytes.subarray(from.offsets[index], from.offsets[index + 1]), offsets[i] as number);
  }
  return { kind: "text", count, bytes, offsets };
}

/** Stretches dense values over rows: a row whose `present` is 0 gets zero bytes. */
export function spread(values: Vector, present: Uint32Array): Vector {
  const count = present.length;
  if (values.kind === "text") {
    const offsets = new Int32Array(count + 1);
    let next = 0;
    for (let row = 0; row < count; row++) {
      if (present[row] === 1) next++;
      offsets[row + 1] = values.offsets[next] as number;
    }
    return { ...values, count, offsets };
  }
  const width = values.kind === "bits" ? 1 : values.width;
  const bytes = new Uint8Array(count * width);
  let at = 0;
  for (let row = 0; row < count; row++) {
    if (present[row] !== 1) continue;
    for (let k = 0; k < width; k++) bytes[row * width + k] = values.bytes[at++] as number;
  }
  return values.kind === "bits" ? { kind: "bits", count, bytes } : { kind: "fixed", count, width, bytes };
}

/** Byte strings, one after the other. */
export function textVector(values: readonly Uint8Array[]): Vector {
  const offsets = new Int32Array(values.length + 1);
  let length = 0;
  values.forEach((value, i) => {
    length += value.length;
    if (length > TEXT_BYTES_MAX) throw new RangeError(`a page's values need more than ${TEXT_BYTES_MAX} bytes`);
    offsets[i + 1] = length;
  });
  const bytes = new Uint8Array(length);
  values.forEach((value, i) => bytes.set(value, offsets[i] as number));
  return { kind: "text", count: values.length, bytes, offsets };
}

/** Bytes of a typed array, copied where they do not start at a multiple of eight in their buffer. */
export function fixedVector(values: ArrayBufferView, width: number): Vector {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return {
    kind: "fixed",
    count: bytes.length / width,
    width,
    bytes: bytes.byteOffset % 8 === 0 ? bytes : bytes.slice(),
  };
}
