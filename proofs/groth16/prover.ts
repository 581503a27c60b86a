import type { Groth16Proof } from "./proof.ts";
import type { WindowChunk } from "./window-proof.ts";

/** What one proof cost where it was made. */
export interface ProofCost {
  readonly witnessMs: number;
  readonly proveMs: number;
  readonly cpuMs: number;
  /** Largest resident set of the prover process so far. */
  readonly rssBytes: number;
}

/** A proof of one chunk of a window. */
export interface WindowProof {
  /** Name of the circuit. */
  readonly circuit: string;
  readonly proof: Groth16Proof;
  /** In circuit order. */
  readonly publicInputs: readonly bigint[];
  readonly cost: ProofCost;
}

/**
 * Makes window proofs. Proofs of the same chunk differ from call to call (Groth16 draws randomness), their public inputs
 * do not. `prove` fails with `PROOF_WITNESS_REJECTED` when the chunk's claim is not true of its values, `PROVER_QUEUE_FULL`,
 * `PROVER_TIMEOUT`, `PROVER_CRASHED`, `PROVER_CLOSED`, `PROOF_FAILED`, or the signal's reason.
 */
export interface Prover extends AsyncDisposable {
  prove(chunk: WindowChunk, options?: { readonly signal?: AbortSignal }): Promise<WindowProof>;
  close(): Promise<void>;
}
