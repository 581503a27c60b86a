import type { CID } from "multiformats/cid";
import { compareBytes, concat, utf8 } from "../core/bytes.ts";
import type { Hash } from "../core/ports.ts";
import type { Policy } from "./membership.ts";
import type { Challenge } from "./vote.ts";

/**
 * The seed of everything drawn for a statement: SHA-256 over a tag, the statement's CID and the nonces of the challenges in
 * the order of their voters' keys. Nobody can know it before the statement is fixed and the challengers have answered.
 * Without challenges (one replica) it is the statement's own, which finds mistakes, not liars.
 */
export function drawSeed(hash: Hash, statement: CID, challenges: readonly Challenge[]): Uint8Array {
  const nonces = challenges
    .toSorted((a, b) => compareBytes(a.voter, b.voter))
    .map((challenge) => concat(challenge.voter, challenge.nonce));
  return hash(concat(utf8("ipdm/draw/1"), statement.bytes, ...nonces));
}

/** Draws up to `amount` distinct positions below `total`, uniformly, ascending. Rejection sampling: no modulo bias. */
export function drawRows(hash: Hash, seed: Uint8Array, total: number, amount: number): number[] {
  if (amount >= total) return Array.from({ length: total }, (_, i) => i);
  const drawn = new Set<number>();
  const bound = 2 ** 48 - (2 ** 48 % total);
  for (let counter = 0; drawn.size < amount; counter++) {
    const value = uint48(hash(concat(seed, utf8(`rows/${counter}`))));
    if (value < bound) drawn.add(value % total);
  }
  return [...drawn].sort((a, b) => a - b);
}

/** True when the draw makes this voter execute the slot itself; under `full` always. */
export function mustExecute(hash: Hash, seed: Uint8Array, voter: Uint8Array, policy: Policy): boolean {
  if (policy.verify === "full") return true;
  return uint48(hash(concat(seed, utf8("sample"), voter))) / 2 ** 48 < policy.share / 1_000_000;
}

function uint48(digest: Uint8Array): number {
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (digest[i] as number);
  return value;
}
