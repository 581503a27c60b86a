import { hash as nodeHashing } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Frontier } from "../../../../proofs/merkle/frontier.ts";
import { consistencyProof, inclusionProof, leafHash, merkleRoot, nodeHash } from "../../../../proofs/merkle/tree.ts";
import { fromHex, toHex } from "../../../../src/core/bytes.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => nodeHashing("sha256", bytes, "buffer");

// The eight leaves and the hashes below are the reference vectors of the Certificate Transparency implementations (RFC 6962).
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const PATHS: readonly { readonly index: number; readonly size: number; readonly path: readonly string[] }[] = [
  { index: 0, size: 1, path: [] },
  {
    index: 0,
    size: 8,
    path: [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  },
  {
    index: 5,
    size: 8,
    path: [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  },
  { index: 2, size: 3, path: ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"] },
  {
    index: 1,
    size: 5,
    path: [
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  },
];
const EXTENSIONS: readonly { readonly oldSize: number; readonly size: number; readonly path: readonly string[] }[] = [
  { oldSize: 1, size: 1, path: [] },
  {
    oldSize: 1,
    size: 8,
    path: [
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
  },
  {
    oldSize: 6,
    size: 8,
    path: [
      "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
  },
  {
    oldSize: 2,
    size: 5,
    path: [
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
  },
];

const hashes = LEAVES.map((hex) => leafHash(sha256, fromHex(hex) ?? new Uint8Array(0)));

describe("merkle tree, by the vectors of RFC 6962 implementations", () => {
  it.each(ROOTS.map((root, size) => ({ root, size })))("root of $size leaves", ({ root, size }) => {
    expect(toHex(merkleRoot(sha256, hashes.slice(0, size)))).toBe(root);
    const frontier = new Frontier(sha256);
    for (const each of hashes.slice(0, size)) frontier.append(each);
    expect(toHex(frontier.root())).toBe(root);
  });

  it.each(PATHS)("path of leaf $index in $size", ({ index, size, path }) => {
    expect(inclusionProof(sha256, hashes.slice(0, size), index).map(toHex)).toEqual(path);
  });

  it.each(EXTENSIONS)("extension of $oldSize to $size", ({ oldSize, size, path }) => {
    expect(consistencyProof(sha256, hashes.slice(0, size), oldSize).map(toHex)).toEqual(path);
  });

  it("names what is out of range or no hash", () => {
    expect(() => inclusionProof(sha256, hashes, 8)).toThrow(expect.objectContaining({ code: "MERKLE_OUT_OF_RANGE" }));
    expect(() => inclusionProof(sha256, [], 0)).toThrow(expect.objectContaining({ code: "MERKLE_OUT_OF_RANGE" }));
    expect(() => consistencyProof(sha256, hashes, 9)).toThrow(expect.objectContaining({ code: "MERKLE_OUT_OF_RANGE" }));
    expect(() => merkleRoot(sha256, [new Uint8Array(31)])).toThrow(
      expect.objectContaining({ code: "MERKLE_MALFORMED" }),
    );
    expect(() => nodeHash(sha256, new Uint8Array(32), new Uint8Array(33))).toThrow(
      expect.objectContaining({ code: "MERKLE_MALFORMED" }),
    );
    expect(() => new Frontier(sha256).append(new Uint8Array(31))).toThrow(
      expect.objectContaining({ code: "MERKLE_MALFORMED" }),
    );
  });
});
