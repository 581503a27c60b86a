import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ed25519Verify } from "../../../../src/sandbox/host/ed25519.ts";

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const check = (key: string, message: string, signature: string): boolean =>
  ed25519Verify(bytes(key), bytes(message), bytes(signature));

/** RFC 8032, section 7.1: key, message, signature. */
const VALID = [
  [
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  ],
  [
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
] as const;

/**
 * The twelve cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020; github.com/novifinancial/ed25519-speccheck,
 * cases.txt): message, key, signature. Libraries differ on every one; dalek's strict verification takes case 3 alone.
 */
const SPECCHECK = [
  "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6 c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000",
  "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79 c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
  "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43 c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
  "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79 cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d 9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
  "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d 160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
  "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d 21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
  "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40 442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623 e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
  "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40 442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623 8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
  "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41 f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43 ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
  "9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41 f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43 ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
  "e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
  "39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
].map((line) => line.split(" ") as [string, string, string]);

/** Every encoding of a point of small order, canonical or not. */
const SMALL_ORDER = ["00", "01", "ec", "ed", "ee"]
  .map((first) => first + (first.startsWith("0") ? "00".repeat(31) : `${"ff".repeat(30)}7f`))
  .concat(
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  )
  .flatMap((hex) => {
    const other = Buffer.from(hex, "hex");
    other[31] = (other[31] ?? 0) ^ 0x80;
    return [hex, other.toString("hex")];
  });

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The signature with the order of the group added to its `s` so many times. */
function raised(signature: string, times: bigint): string {
  const s = BigInt(`0x${Buffer.from(signature.slice(64), "hex").reverse().toString("hex")}`) + times * ORDER;
  return signature.slice(0, 64) + Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse().toString("hex");
}

describe("Ed25519 by the strict rules", () => {
  it("takes what RFC 8032 gives, and no changed bit of it", () => {
    for (const [key, message, signature] of VALID) {
      expect(check(key, message, signature)).toBe(true);
      expect(check(key, `${message}00`, signature)).toBe(false);
      for (const at of [0, 7, 255, 256, 300, 511]) {
        const changed = bytes(signature);
        changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7));
        expect(ed25519Verify(bytes(key), bytes(message), changed)).toBe(false);
        const other = bytes(key);
        other[(at >> 3) & 31] = (other[(at >> 3) & 31] ?? 0) ^ (1 << (at & 7));
        expect(ed25519Verify(other, bytes(message), bytes(signature))).toBe(false);
      }
    }
  });

  it("takes of the speccheck cases what dalek's strict verification takes", () => {
    expect(SPECCHECK.map(([message, key, signature]) => check(key, message, signature))).toEqual(
      SPECCHECK.map((_, index) => index === 3),
    );
  });

  it("takes no s from the order on, which is another spelling of the same number", () => {
    for (const [key, message, signature] of VALID) {
      for (const times of [1n, 2n, 7n, 14n]) expect(check(key, message, raised(signature, times))).toBe(false);
    }
  });

  it("takes no key and no R of small order, in none of their 14 encodings", () => {
    expect(new Set(SMALL_ORDER).size).toBe(14);
    const [key, message, signature] = VALID[1];
    for (const point of SMALL_ORDER) {
      // With s = 0, R of small order and a key of small order the equation holds for one message in eight.
      for (const r of SMALL_ORDER) expect(check(point, message, r + "00".repeat(32))).toBe(false);
      expect(check(key, message, point + signature.slice(64))).toBe(false);
      expect(check(point, message, signature)).toBe(false);
    }
  });

  it("takes no encoding of a point beyond the prime, and none that is no point", () => {
    const [key, message, signature] = VALID[0];
    for (let low = 0xed; low <= 0xff; low++) {
      for (const high of ["7f", "ff"]) {
        const point = low.toString(16) + "ff".repeat(30) + high;
        expect(check(point, message, signature)).toBe(false);
        expect(check(key, message, point + signature.slice(64))).toBe(false);
      }
    }
    // y = 2 and y = 7 are on no point of the curve.
    for (const y of ["02", "07"]) expect(check(y + "00".repeat(31), message, signature)).toBe(false);
  });

  it("gives the same for a key that it has seen before", () => {
    const pairs = Array.from({ length: 8 }, () => generateKeyPairSync("ed25519"));
    const signed = pairs.map(({ publicKey, privateKey }, index) => {
      const message = Buffer.alloc(index * 100, index);
      const x = publicKey.export({ format: "jwk" }).x ?? "";
      return { key: Buffer.from(x, "base64url"), message, signature: sign(null, message, privateKey) };
    });
    for (let turn = 0; turn < 2; turn++)
      for (const { key, message, signature } of signed) {
        expect(ed25519Verify(key, message, signature)).toBe(true);
        expect(ed25519Verify(key, Buffer.concat([message, message, key]), signature)).toBe(false);
      }
  });
});
