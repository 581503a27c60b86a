import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExtismSpace } from "../../../src/sandbox/abi/extism-space.ts";
import { Stop } from "../../../src/sandbox/stop.ts";

const BYTES_MAX = 4 * 65_536;
const FIRST_PAGE = 65_536n;

/** A block as the model knows it. */
interface Block {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("alloc" as const), size: fc.oneof(fc.nat(300), fc.nat(70_000)) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("free" as const), which: fc.nat() }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      which: fc.nat(),
      at: fc.nat(),
      value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reset" as const) }) },
);

describe("ExtismSpace", () => {
  it("keeps what was written to each block, and its blocks apart, until they are freed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const space = new ExtismSpace(BYTES_MAX);
        let blocks: Block[] = [];
        for (const action of steps) {
          if (action.kind === "reset") {
            space.reset();
            blocks = [];
          } else if (action.kind === "alloc") {
            const address = BigInt(space.alloc(BigInt(action.size)));
            if (action.size === 0) expect(address).toBe(0n);
            if (address === 0n) continue;
            const end = address + BigInt(action.size);
            for (const other of blocks)
              expect(end <= other.address || address >= other.address + BigInt(other.bytes.length)).toBe(true);
            // What a reused block held before shows; the model takes it over.
            blocks.push({ address, bytes: space.block(address, "test").slice() });
          } else if (blocks.length > 0) {
            const which = action.which % blocks.length;
            const { address, bytes } = blocks[which] as Block;
            if (action.kind === "free") {
              space.release(address);
              blocks.splice(which, 1);
              expect(space.length(address)).toBe(0);
              expect(() => space.block(address, "test")).toThrow(Stop);
            } else if (bytes.length >= 8) {
              const at = action.at % (bytes.length - 7);
              space.storeU64(address + BigInt(at), action.value);
              new DataView(bytes.buffer).setBigUint64(at, action.value, true);
              expect(space.loadU64(address + BigInt(at))).toBe(action.value);
            } else {
              space.storeU8(address, Number(action.value & 0xffn));
              bytes[0] = Number(action.value & 0xffn);
              expect(space.loadU8(address)).toBe(bytes[0]);
            }
          }
          for (const { address, bytes } of blocks) {
            expect(space.length(address)).toBe(bytes.length);
            expect(space.length(address + 1n)).toBe(0);
          }
        }
        for (const { address, bytes } of blocks) expect(space.block(address, "test")).toEqual(bytes);
      }),
    );
  });

  it("never reads or writes outside of itself, whatever the address", () => {
    const address = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.bigInt({ min: -20n, max: FIRST_PAGE + 20n }),
    );
    fc.assert(
      fc.property(address, address, (at, length) => {
        const space = new ExtismSpace(BYTES_MAX);
        const isInside = (bytes: bigint): boolean => at > 0n && at + bytes <= FIRST_PAGE;
        const tried = (work: () => unknown, bytes: bigint): void => {
          if (isInside(bytes)) expect(work).not.toThrow();
          else expect(work).toThrow(Stop);
        };
        tried(() => space.loadU8(at), 1n);
        tried(() => space.loadU64(at), 8n);
        tried(() => space.storeU8(at, 1), 1n);
        tried(() => space.storeU64(at, -1n), 8n);
        tried(() => space.range(at, length, "test"), BigInt.asUintN(64, length));
        expect(() => space.release(at)).not.toThrow();
        expect(space.length(at)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("is zero and small after a reset, whatever was written", () => {
    const space = new ExtismSpace(BYTES_MAX);
    const far = BigInt(space.alloc(150_000n)) + 149_992n;
    space.storeU64(far, -1n);
    space.storeU64(64n, -1n);
    space.storeU64(FIRST_PAGE - 8n, -1n);
    space.reset();
    expect(() => space.loadU8(FIRST_PAGE)).toThrow(Stop);
    for (let at = 8n; at < FIRST_PAGE; at += 8n) if (space.loadU64(at) !== 0n) throw new Error(`${at} is not zero`);
    expect(BigInt(space.alloc(150_000n)) + 149_992n).toBe(far);
    expect(space.loadU64(far)).toBe(0n);
  });

  it("gives no more than its cap, to the byte", () => {
    const space = new ExtismSpace(BYTES_MAX);
    // The first 64 bytes are none of a block's, and a block has 16 before it.
    expect(space.alloc(BigInt(BYTES_MAX - 79))).toBe(0);
    expect(space.alloc(BigInt(BYTES_MAX - 80))).toBe(80);
    expect(space.alloc(1n)).toBe(0);
    space.release(80n);
    expect(space.alloc(BigInt(BYTES_MAX - 80))).toBe(80);
  });
});
