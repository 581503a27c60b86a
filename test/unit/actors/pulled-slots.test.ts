import { describe, expect, it } from "vitest";
import { PulledSlots } from "../../../actors/task/pulled-slots.ts";
import { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { SLOT_BYTES_TARGET } from "../../../src/consensus/slot.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";

const schema = schemaOf([{ name: "n", type: "i32", nullable: false }]);
const cidOf = (seq: number) => cborBlock(sha256, { seq }).cid;
const ofBytes = (sizeBytes: number): readonly Batch[] => [new Batch(schema, 0, [], new Uint8Array(sizeBytes))];
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("slots that were pulled", () => {
  it("make those who pull wait while one large slot is at work and another is ready", async () => {
    const slots = new PulledSlots();
    const { signal } = new AbortController();
    const large = SLOT_BYTES_TARGET + 1;
    for (const seq of [0, 1]) {
      await slots.room(signal);
      slots.keep(cidOf(seq), ofBytes(large));
    }
    let hasRoom = false;
    const waiting = slots.room(signal).then(() => (hasRoom = true));
    await turn();
    expect(hasRoom).toBe(false);
    slots.drop(cidOf(7));
    await turn();
    expect(hasRoom).toBe(false);
    slots.drop(cidOf(0));
    await waiting;
    expect(slots.get(cidOf(0))).toBeUndefined();
    expect(slots.get(cidOf(1))).toHaveLength(1);
  });

  it("make nobody wait while they are small, and let go of who is interrupted", async () => {
    const slots = new PulledSlots();
    const control = new AbortController();
    for (let seq = 0; seq < 4; seq++) {
      await slots.room(control.signal);
      slots.keep(cidOf(seq), ofBytes(1000));
    }
    for (const seq of [4, 5]) slots.keep(cidOf(seq), ofBytes(SLOT_BYTES_TARGET));
    const waiting = slots.room(control.signal);
    control.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(slots.room(control.signal)).rejects.toThrow("enough");
  });
});
