import { secp256k1 } from "@noble/curves/secp256k1.js";
import { describe, expect, it } from "vitest";
import { secp256k1Recover } from "../../../../src/sandbox/host/secp256k1.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const PRIME = 2n ** 256n - 2n ** 32n - 977n;

const word = (value: bigint): Uint8Array => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
const signature = (r: bigint, s: bigint, v: number): Uint8Array => Uint8Array.from([...word(r), ...word(s), v]);
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** The example of EIP-155: private key, hash to sign, r, s; its v of 37 means 0 here. */
const key = new Uint8Array(32).fill(0x46);
const hash = word(0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53n);
const r = 0x28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276n;
const s = 0x67cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83n;
const own = hex(secp256k1.getPublicKey(key, false).subarray(1));

describe("recovery of a secp256k1 key", () => {
  it("finds the key of the example of EIP-155", () => {
    expect(hex(secp256k1Recover(hash, signature(r, s, 0)))).toBe(own);
    expect(hex(secp256k1Recover(hash, signature(r, s, 1)))).not.toBe(own);
  });

  it("takes a high s, whose v is the other one", () => {
    expect(hex(secp256k1Recover(hash, signature(r, ORDER - s, 1)))).toBe(own);
  });

  it("finds none for numbers out of range, a v beyond 3, an x beyond the prime", () => {
    const refused: readonly [bigint, bigint, number][] = [
      [0n, s, 0],
      [r, 0n, 0],
      [ORDER, s, 0],
      [r, ORDER, 0],
      [2n ** 256n - 1n, s, 0],
      [r, 2n ** 256n - 1n, 1],
      [r, s, 4],
      [r, s, 27],
      [r, s, 255],
      [PRIME - ORDER, s, 2],
      [r, s, 2],
    ];
    for (const [x, y, v] of refused) expect(secp256k1Recover(hash, signature(x, y, v))).toBeUndefined();
  });

  it("finds none where no point has that x, and none at infinity", () => {
    // x = 5 is on no point of y² = x³ + 7.
    expect(secp256k1Recover(hash, signature(5n, s, 0))).toBeUndefined();
    // R is the base point and s the hash: what is left is nothing.
    const { x } = secp256k1.Point.BASE;
    const number = BigInt(`0x${hex(hash)}`);
    expect(secp256k1Recover(hash, signature(x, number, 0))).toBeUndefined();
  });
});
