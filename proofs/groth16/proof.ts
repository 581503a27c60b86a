import { BASE_ORDER, bigEndian, ELEMENT_SIZE_BYTES, isElement, writeElement } from "./field.ts";

/** A point of G1: affine coordinates in the base field. */
export interface PointG1 {
  readonly x: bigint;
  readonly y: bigint;
}

/** An element c0 + c1·u of the quadratic extension field. */
export interface Pair {
  readonly c0: bigint;
  readonly c1: bigint;
}

/** A point of G2: affine coordinates in the quadratic extension field. */
export interface PointG2 {
  readonly x: Pair;
  readonly y: Pair;
}

/** A Groth16 proof over BN254 (https://eprint.iacr.org/2016/260). Whether its points lie on the curve is the verifier's to check. */
export interface Groth16Proof {
  readonly a: PointG1;
  readonly b: PointG2;
  readonly c: PointG1;
}

/** Size of a proof in bytes: A (x, y), B (x.c1, x.c0, y.c1, y.c0), C (x, y), each coordinate 32 bytes big-endian (order of EIP-197). */
export const PROOF_SIZE_BYTES = 8 * ELEMENT_SIZE_BYTES;

/** Most public inputs that are read from outside. */
export const PUBLIC_INPUTS_MAX = 64;

/** The proof's {@link PROOF_SIZE_BYTES} bytes, uncompressed. Not an identity: see `proofIdentity`. */
export function proofToBytes({ a, b, c }: Groth16Proof): Uint8Array {
  const bytes = new Uint8Array(PROOF_SIZE_BYTES);
  [a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y].forEach((value, i) => {
    writeElement(bytes, i * ELEMENT_SIZE_BYTES, value);
  });
  return bytes;
}

/** Reads {@link proofToBytes}; `undefined` when the length is wrong or a coordinate is not canonical (below the field's order). */
export function proofFromBytes(bytes: Uint8Array): Groth16Proof | undefined {
  if (bytes.length !== PROOF_SIZE_BYTES) return undefined;
  const at = (i: number): bigint => bigEndian(bytes.subarray(i * ELEMENT_SIZE_BYTES, (i + 1) * ELEMENT_SIZE_BYTES));
  const proof = {
    a: { x: at(0), y: at(1) },
    b: { x: { c1: at(2), c0: at(3) }, y: { c1: at(4), c0: at(5) } },
    c: { x: at(6), y: at(7) },
  };
  return isCanonical(proof) ? proof : undefined;
}

/** True when every coordinate is a canonical element of the base field. */
export function isCanonical({ a, b, c }: Groth16Proof): boolean {
  return [a.x, a.y, b.x.c0, b.x.c1, b.y.c0, b.y.c1, c.x, c.y].every((value) => value >= 0n && value < BASE_ORDER);
}

/** Public inputs as bytes: 32 each, big-endian, in circuit order. They must be canonical elements of the scalar field. */
export function publicInputsToBytes(inputs: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(inputs.length * ELEMENT_SIZE_BYTES);
  inputs.forEach((value, i) => {
    writeElement(bytes, i * ELEMENT_SIZE_BYTES, value);
  });
  return bytes;
}

/** Reads {@link publicInputsToBytes}; `undefined` when the length does not fit or an input is not canonical. */
export function publicInputsFromBytes(bytes: Uint8Array): readonly bigint[] | undefined {
  const count = bytes.length / ELEMENT_SIZE_BYTES;
  if (!Number.isInteger(count) || count > PUBLIC_INPUTS_MAX) return undefined;
  const inputs = Array.from({ length: count }, (_, i) =>
    bigEndian(bytes.subarray(i * ELEMENT_SIZE_BYTES, (i + 1) * ELEMENT_SIZE_BYTES)),
  );
  return inputs.every(isElement) ? inputs : undefined;
}
