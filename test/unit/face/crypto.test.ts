import { describe, expect, it } from "vitest";
import * as proofs from "../../../proofs/index.ts";
import { fromHex, utf8 } from "../../../src/core/bytes.ts";
import * as node from "../../../src/node.ts";
import * as testing from "../../../src/runtime/testing.ts";

const bytes = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();
/** RFC 8032, section 7.1, test 3. */
const KEY = bytes("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
const MESSAGE = bytes("af82");
const SIGNATURE = bytes(
  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
);
/** The order of the group (RFC 8032, section 5.1), which a scalar has to be below. */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

describe.each([
  ["ipdm-runtime/proofs", proofs],
  ["ipdm-runtime/testing", testing],
  ["this node", node],
])("hashing and signature checks of %s", (_, { sha256, verifyEd25519 }) => {
  it("are SHA-256", () => {
    expect(Buffer.from(sha256(utf8("abc"))).toString("hex")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    for (let length = 0; length < 200; length++)
      expect(Buffer.from(sha256(new Uint8Array(length))).equals(node.sha256(new Uint8Array(length)))).toBe(true);
  });

  it("are Ed25519 as in RFC 8032, and never throw", () => {
    expect(verifyEd25519(KEY, MESSAGE, SIGNATURE)).toBe(true);
    for (const at of [0, 31, 32, 63])
      expect(verifyEd25519(KEY, MESSAGE, SIGNATURE.with(at, (SIGNATURE[at] as number) ^ 1))).toBe(false);
    expect(verifyEd25519(KEY.with(0, 0), MESSAGE, SIGNATURE)).toBe(false);
    expect(verifyEd25519(KEY, utf8("other"), SIGNATURE)).toBe(false);
    for (const length of [0, 31]) expect(verifyEd25519(KEY.slice(0, length), MESSAGE, SIGNATURE)).toBe(false);
    for (const length of [0, 63]) expect(verifyEd25519(KEY, MESSAGE, SIGNATURE.slice(0, length))).toBe(false);
    expect(verifyEd25519(new Uint8Array(32).fill(255), MESSAGE, SIGNATURE)).toBe(false);
  });

  it("refuse a scalar that is not reduced: a signature has one form", () => {
    let scalar = ORDER;
    for (let i = 31; i >= 0; i--) scalar += BigInt(SIGNATURE[32 + i] as number) << BigInt(8 * i);
    const other = SIGNATURE.slice();
    for (let i = 0; i < 32; i++) other[32 + i] = Number((scalar >> BigInt(8 * i)) & 255n);
    expect(verifyEd25519(KEY, MESSAGE, other)).toBe(false);
  });

  it("agree with what nodes sign", () => {
    for (let i = 0; i < 20; i++) {
      const { publicKey, sign } = node.signerOf(node.sha256(utf8(`seed ${i}`)));
      const signature = sign(utf8(`message ${i}`));
      expect(verifyEd25519(publicKey, utf8(`message ${i}`), signature)).toBe(true);
      expect(verifyEd25519(publicKey, utf8(`message ${i + 1}`), signature)).toBe(false);
    }
  });
});
