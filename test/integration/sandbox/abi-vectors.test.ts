import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import { decodeBatch } from "../../../src/batch/batch.ts";
import { fromHex, toHex } from "../../../src/core/bytes.ts";
import { encodeDescriptor } from "../../../src/sandbox/descriptor.ts";
import { rowRandom } from "../../../src/sandbox/host/random.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import { specOf, watBytes } from "../../support/wat-module.ts";

const page = await readFile(new URL("../../../docs/reference/abi.md", import.meta.url), "utf8");
/** A value of the page's test vectors. */
const shown = (name: string): string => new RegExp(`^    ${name} +(.+)$`, "m").exec(page)?.[1] ?? "";
const bytesOf = (name: string): Uint8Array => fromHex(shown(name)) as Uint8Array;

const lane = openLane();
afterAll(() => lane.close());

describe("test vectors of docs/reference/abi.md", () => {
  const seed = Uint8Array.from({ length: 32 }, (_, i) => i);
  const context = { firstRow: 1000, seed, timeUs: 978_307_200_000_000n };

  it("has the descriptor of a call", () => {
    expect(toHex(encodeDescriptor(context))).toBe(shown("descriptor"));
  });

  it("has the random stream of a row", () => {
    expect(toHex(rowRandom(seed, 1000n, 40))).toBe(shown("random"));
  });

  it("has a module, a batch that goes in, the one that comes out, and the fuel of it", async () => {
    const source = /```wat\n([^`]*)```/.exec(page)?.[1] ?? "";
    const module = await watBytes(source);
    expect(toHex(module)).toBe(shown("module"));
    const handle = await lane.load(specOf(module));
    const { batch, fuel } = await handle.run(decodeBatch(bytesOf("input")), context);
    expect(toHex(batch.bytes)).toBe(shown("output"));
    expect(String(fuel)).toBe(shown("fuel"));
  });
});
