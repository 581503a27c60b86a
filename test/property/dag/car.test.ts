import { hash as nodeHashing } from "node:crypto";
import { CarReader, CarWriter } from "@ipld/car";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import { IpdmError } from "../../../src/core/errors.ts";
import { type Block, cborBlock, jsonBlock, rawBlock } from "../../../src/dag/block.ts";
import { type Car, encodeCar, readCar, walk } from "../../../src/dag/car.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => nodeHashing("sha256", bytes, "buffer");

/** A small receipt-like graph: a dag-json root over dag-cbor nodes over raw leaves, every block linked. */
function graph(sizes: readonly number[]): readonly [Block, ...Block[]] {
  const leaves = sizes.map((size, i) => rawBlock(sha256, new Uint8Array(size).fill(i + 1)));
  const unique = [...new Map(leaves.map((leaf) => [leaf.cid.toString(), leaf])).values()];
  const nodes = unique.map((leaf, i) =>
    cborBlock(sha256, { v: 1, i, leaf: leaf.cid, list: [-1, 2.5, "é", null, true] }),
  );
  return [jsonBlock(sha256, { v: 1, nodes: nodes.map((node) => node.cid) }), ...nodes, ...unique];
}

const graphs = fc.array(fc.nat({ max: 300 }), { maxLength: 6 }).map(graph);
const small = graph([3, 0]);
const smallCar = encodeCar(small[0].cid, small);

function openCar(bytes: Uint8Array): Car {
  const car = readCar(sha256, bytes);
  walk(car.root, car.blocks, { external: () => false });
  return car;
}

/** The code with which the bytes are refused; `undefined` when they are accepted. Anything but an error of ours fails the test. */
function refusal(bytes: Uint8Array): string | undefined {
  try {
    openCar(bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof IpdmError)) throw error;
    expect(error.kind).toBe("verification");
    expect(error.where).toMatch(/^(byte \d+|b[a-z2-7]+)$/);
    return error.code;
  }
}

async function collect(parts: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const part of parts) all.push(part);
  return concat(...all);
}

describe("CAR", () => {
  it("reads what it wrote", () => {
    fc.assert(
      fc.property(graphs, (blocks) => {
        const car = openCar(encodeCar(blocks[0].cid, blocks));
        expect(car.root.equals(blocks[0].cid)).toBe(true);
        expect([...car.blocks.keys()]).toEqual(blocks.map((block) => block.cid.toString()));
        for (const block of blocks)
          expect(Buffer.compare(car.blocks.get(block.cid.toString())?.bytes ?? smallCar, block.bytes)).toBe(0);
      }),
    );
  });

  it("writes the bytes of @ipld/car, and each reads the other's", async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (blocks) => {
        const mine = encodeCar(blocks[0].cid, blocks);
        const { writer, out } = CarWriter.create([blocks[0].cid]);
        const theirs = collect(out);
        for (const block of blocks) await writer.put(block);
        await writer.close();
        expect(Buffer.compare(await theirs, mine)).toBe(0);
        const reader = await CarReader.fromBytes(mine);
        expect((await reader.getRoots()).map(String)).toEqual([blocks[0].cid.toString()]);
        const keys: string[] = [];
        for await (const block of reader.blocks()) keys.push(block.cid.toString());
        expect(keys).toEqual(blocks.map((block) => block.cid.toString()));
      }),
      { numRuns: 30 },
    );
  });

  it("refuses every flipped bit of a small file", () => {
    for (let at = 0; at < smallCar.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = smallCar.slice();
        bytes[at] = (bytes[at] as number) ^ (1 << bit);
        expect(refusal(bytes), `byte ${at}, bit ${bit}`).toBeDefined();
      }
    }
  });

  it("refuses every byte changed to any other, in any graph", () => {
    fc.assert(
      fc.property(graphs, fc.nat(), fc.integer({ min: 1, max: 255 }), (blocks, place, change) => {
        const bytes = encodeCar(blocks[0].cid, blocks);
        const at = place % bytes.length;
        bytes[at] = (bytes[at] as number) ^ change;
        expect(refusal(bytes)).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  it("refuses every truncation", () => {
    for (let length = 0; length < smallCar.length; length++)
      expect(refusal(smallCar.slice(0, length)), `${length} bytes`).toBeDefined();
  });

  it("refuses every inserted and every deleted byte", () => {
    for (let at = 0; at <= smallCar.length; at++) {
      for (const byte of [0, 1, 0x80, 0xff])
        expect(refusal(concat(smallCar.slice(0, at), Uint8Array.of(byte), smallCar.slice(at)))).toBeDefined();
      if (at < smallCar.length) expect(refusal(concat(smallCar.slice(0, at), smallCar.slice(at + 1)))).toBeDefined();
    }
  });

  it("refuses whatever is appended", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), (tail) => {
        expect(["CAR_TRAILING_BYTES", "CAR_MALFORMED"]).toContain(refusal(concat(smallCar, tail)));
      }),
      { numRuns: 500 },
    );
    for (const tail of [[0], [0, 0, 0], [0x0a], [7, 7, 7]])
      expect(refusal(concat(smallCar, Uint8Array.from(tail)))).toBe("CAR_TRAILING_BYTES");
  });

  it("never fails on random bytes with anything but its own error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, afterHeader) => {
        expect(refusal(afterHeader ? concat(smallCar.slice(0, 61), bytes) : bytes)).toBeDefined();
      }),
      { numRuns: 1000 },
    );
  });
});

describe("CAR blocks", () => {
  it("takes them in any order, to the same content", () => {
    fc.assert(
      fc.property(
        graphs.chain((blocks) =>
          fc.tuple(fc.constant(blocks), fc.shuffledSubarray([...blocks], { minLength: blocks.length })),
        ),
        ([blocks, shuffled]) => {
          const car = openCar(encodeCar(blocks[0].cid, shuffled));
          expect([...car.blocks.keys()].sort()).toEqual(blocks.map((block) => block.cid.toString()).sort());
        },
      ),
    );
  });

  it("refuses a block that was removed, doubled, added, or given another's CID", () => {
    fc.assert(
      fc.property(graphs, fc.nat(), (blocks, pick) => {
        const at = pick % blocks.length;
        const one = blocks[at] as Block;
        const rest = blocks.toSpliced(at, 1);
        const file = (list: readonly Block[]): Uint8Array =>
          concat(encodeCar(blocks[0].cid, [blocks[0]]), ...list.map(sectionOf));
        expect(refusal(file(blocks.slice(1)))).toBeUndefined();
        if (at > 0) expect(refusal(file(rest.slice(1)))).toBe("CAR_LINK_MISSING");
        expect(refusal(file([...blocks.slice(1), one]))).toBe("CAR_DUPLICATE_BLOCK");
        expect(refusal(file([...blocks.slice(1), rawBlock(sha256, Uint8Array.of(1, 2, 3, pick & 255))]))).toBe(
          "CAR_UNREFERENCED_BLOCK",
        );
        const other = rest[0];
        if (other !== undefined) {
          const exchanged = blocks
            .slice(1)
            .map((block) => (block === one ? { cid: one.cid, bytes: other.bytes } : block));
          if (at > 0) expect(refusal(file(exchanged))).toBe("DAG_CID_MISMATCH");
        }
      }),
    );
  });
});

function sectionOf(block: Block): Uint8Array {
  const length = block.cid.bytes.length + block.bytes.length;
  const prefix = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >>> 7];
  return concat(Uint8Array.from(prefix), block.cid.bytes, block.bytes);
}
