import { hash } from "node:crypto";
import { base58btc } from "multiformats/bases/base58";

/** The blockhash of a made-up block of a slot. */
export function slotHash(slot: number): string {
  return base58btc.baseEncode(new Uint8Array(hash("sha256", `slot ${slot}`, "buffer")));
}

/** A block as `getBlock` gives it, made up and empty, with the slot of its parent. */
export function madeSlot(slot: number, parentSlot = slot - 1): string {
  return JSON.stringify({
    blockHeight: slot,
    blockTime: 1_700_000_000 + slot,
    blockhash: slotHash(slot),
    parentSlot,
    previousBlockhash: slotHash(parentSlot),
    rewards: [],
    transactions: [],
  });
}

/** `{slot, block}` of it. */
export function madePlacedSlot(slot: number, parentSlot = slot - 1): string {
  return `{"slot":${slot},"block":${madeSlot(slot, parentSlot)}}`;
}
