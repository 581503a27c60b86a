import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { entrySigned, MODULE_VERSION, parseModuleEntry } from "../../../src/consensus/module-entry.ts";
import { toHex } from "../../../src/core/bytes.ts";
import { cborBlock, decodeBlock } from "../../../src/dag/block.ts";
import { sha256, verifyEd25519 } from "../../../src/node.ts";
import { entryOf } from "../../support/catalogue.ts";

const MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** As the page has them, a line each. */
const PAGE = readFileSync(new URL("../../../docs/reference/modules.md", import.meta.url), "utf8");
const shown = (name: string): string => new RegExp(`^    ${name} +(\\S+)$`, "m").exec(PAGE)?.[1] ?? "";
const VECTOR = { signature: shown("signature"), cid: shown("CID"), bytes: shown("entry"), module: shown("module") };

describe("module entry", () => {
  it("is the test vector of docs/reference/modules.md", () => {
    const entry = entryOf(MODULE, { description: "nothing" });
    const block = cborBlock(sha256, entry);
    expect(toHex(entry.publisher)).toBe("8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c");
    expect(entry.module.toString()).toBe(VECTOR.module);
    expect(toHex(entry.signature)).toBe(VECTOR.signature);
    expect(block.cid.toString()).toBe(VECTOR.cid);
    expect(toHex(block.bytes)).toBe(VECTOR.bytes);
    expect(cborBlock(sha256, parseModuleEntry(decodeBlock(block))).bytes).toEqual(block.bytes);
  });

  it("is signed as a whole: every field that is changed breaks the signature", () => {
    const entry = entryOf(MODULE);
    expect(entrySigned(entry, verifyEd25519)).toBe(true);
    const other = entryOf(Uint8Array.of(...MODULE, 0));
    const changes = {
      name: "early",
      version: "1.0.1",
      module: other.module,
      bytes: 9,
      abi: "wasi/1",
      unit: 4,
      stateful: true,
      columns: [{ name: "a", type: "i64" }],
      limits: { ...entry.limits, fuelPerRow: 1 },
      costTable: "ipdm-cost/3",
      capabilities: ["log"],
      description: "x",
      publisher: entryOf(MODULE, {}, { ...entry, publicKey: new Uint8Array(32), sign: () => entry.signature })
        .publisher,
    };
    for (const [key, value] of Object.entries(changes))
      expect(entrySigned({ ...entry, [key]: value }, verifyEd25519), key).toBe(false);
    const { v: _v, kind: _kind, signature: _signature, ...signed } = entry;
    expect(Object.keys(changes).sort()).toEqual(Object.keys(signed).sort());
  });

  it("takes semantic versions in their one form", () => {
    for (const good of ["0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x-y-z.4a"])
      expect(MODULE_VERSION.test(good), good).toBe(true);
    for (const bad of [
      "1",
      "1.2",
      "v1.2.3",
      "01.2.3",
      "1.02.3",
      "1.2.3+b",
      "1.2.3-",
      "1.2.3-01",
      "1.2.3-a..b",
      "1.2.3 ",
      "=1.2.3",
    ])
      expect(MODULE_VERSION.test(bad), bad).toBe(false);
  });

  it("takes nothing like it", () => {
    const entry = entryOf(MODULE);
    for (const change of [
      { v: 2 },
      { kind: "ipdm/module/2" },
      { name: "A" },
      { bytes: -1 },
      { publisher: new Uint8Array(31) },
    ])
      expect(() => parseModuleEntry({ ...entry, ...change })).toThrow("not a module entry");
    const { signature: _, ...unsigned } = entry;
    expect(() => parseModuleEntry(unsigned)).toThrow("signature");
  });
});
