// SPDX-License-Identifier: Apache-2.0
// Types only: the words that a prover process and its parent exchange over the IPC channel. Numbers of the field travel
// as decimal text, the form that snarkjs reads and writes.

/** A proof as snarkjs writes it: projective coordinates in decimal, the third being one. */
export interface ProofMessage {
  readonly pi_a: readonly string[];
  readonly pi_b: readonly (readonly string[])[];
  readonly pi_c: readonly string[];
}

/** Asks for a proof. `zkeySha256` is compared with the key file before its first use. */
export interface ProveRequest {
  readonly id: number;
  readonly kind: "prove";
  readonly wasmPath: string;
  readonly zkeyPath: string;
  readonly zkeySha256: string;
  readonly input: Readonly<Record<string, string | readonly string[]>>;
}

/** Asks snarkjs for its verdict on a proof, to compare with the verifier of the main process. */
export interface VerifyRequest {
  readonly id: number;
  readonly kind: "verify";
  readonly vkeyPath: string;
  readonly proof: ProofMessage;
  readonly publicSignals: readonly string[];
}

export type ProverRequest = ProveRequest | VerifyRequest;

/** What one proof cost in the prover process. */
export interface ProveCost {
  readonly witnessMs: number;
  readonly proveMs: number;
  readonly cpuMs: number;
  /** Largest resident set of the process so far. */
  readonly rssBytes: number;
}

export type ProverReply =
  | {
      readonly id: number;
      readonly kind: "proved";
      readonly proof: ProofMessage;
      readonly publicSignals: readonly string[];
      readonly cost: ProveCost;
    }
  | { readonly id: number; readonly kind: "verified"; readonly ok: boolean }
  | { readonly id: number; readonly kind: "failed"; readonly code: string; readonly message: string };
