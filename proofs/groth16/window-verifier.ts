import type { CircuitEntry } from "../../circuits/manifest.ts";
import { WINDOW_CHUNKS_MAX } from "./limits.ts";
import { proofFromBytes, publicInputsFromBytes } from "./proof.ts";
import { type Groth16Refusal, verifyGroth16 } from "./verifier.ts";
import type { VerifyingKey } from "./verifying-key.ts";
import { contextOf, type WindowContext } from "./window-context.ts";
import { claimOf, combineChunks, type WindowAggregate, type WindowClaim } from "./window-proof.ts";

/** A proof of one chunk as it is stored and sent: `proofToBytes` and `publicInputsToBytes`. */
export interface ProvenChunk {
  readonly proof: Uint8Array;
  readonly publicInputs: Uint8Array;
}

/** A circuit that proves windows, with the key that its proofs are checked by. */
export interface WindowKey {
  readonly circuit: CircuitEntry;
  readonly key: VerifyingKey;
}

/** Why a window's proofs were refused. */
export type WindowRefusal =
  | Groth16Refusal
  /** Bytes of the wrong length or not canonical. */
  | "PROOF_MALFORMED"
  /** The public inputs are of another window, task, run or chunk. */
  | "PROOF_CONTEXT_MISMATCH"
  /** No chunk, too many, or one that is not full before the last. */
  | "PROOF_CHUNKS_INVALID";

export type WindowVerdict =
  | { readonly ok: true; readonly aggregate: WindowAggregate; readonly claims: readonly WindowClaim[] }
  | { readonly ok: false; readonly code: WindowRefusal; readonly chunk: number };

/**
 * Checks all proofs of one window, in chunk order, against what they should be about, and returns the aggregate that they
 * prove together. The caller compares it with the output row; whether the commitments are of the right rows only those who
 * have the rows can check (`commitWindowChunk`). Returns a verdict whatever the bytes hold.
 */
export function verifyWindow(
  { circuit, key }: WindowKey,
  about: Omit<WindowContext, "chunk" | "chunks">,
  chunks: readonly ProvenChunk[],
): WindowVerdict {
  if (chunks.length < 1 || chunks.length > WINDOW_CHUNKS_MAX)
    return { ok: false, code: "PROOF_CHUNKS_INVALID", chunk: 0 };
  const claims: WindowClaim[] = [];
  for (const [chunk, proven] of chunks.entries()) {
    const claim = verifyChunk(circuit, key, contextOf({ ...about, chunk, chunks: chunks.length }), proven);
    if (typeof claim === "string") return { ok: false, code: claim, chunk };
    // One way to cut a window: without this rule the same rows could be proved under many sets of commitments.
    if (chunk < chunks.length - 1 && claim.count !== circuit.rowsMax)
      return { ok: false, code: "PROOF_CHUNKS_INVALID", chunk };
    claims.push(claim);
  }
  return { ok: true, aggregate: combineChunks(claims), claims };
}

function verifyChunk(
  circuit: CircuitEntry,
  key: VerifyingKey,
  context: bigint,
  chunk: ProvenChunk,
): WindowClaim | WindowRefusal {
  const proof = proofFromBytes(chunk.proof);
  const inputs = publicInputsFromBytes(chunk.publicInputs);
  if (proof === undefined || inputs === undefined) return "PROOF_MALFORMED";
  const claim = claimOf(circuit, inputs);
  if (claim === undefined) return "PROOF_INPUTS_INVALID";
  if (claim.context !== context) return "PROOF_CONTEXT_MISMATCH";
  const verdict = verifyGroth16(key, inputs, proof);
  return verdict.ok ? claim : verdict.code;
}
