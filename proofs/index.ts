/**
 * Merkle trees, Groth16 verification and the rules of a receipt, without files, processes or Node.js (`ipdm-runtime/proofs`).
 * What asks for a `hash` or `verify` takes {@link sha256} and {@link verifyEd25519} from here, or the caller's own:
 *
 *     verifyReceipt({ hash: sha256, verify: verifyEd25519, key: parseVerifyingKey(json) }, bytes)
 */
export type { Groth16Proof } from "./groth16/proof.ts";
export type { Groth16Verdict } from "./groth16/verifier.ts";
export { verifyGroth16 } from "./groth16/verifier.ts";
export type { VerifyingKey } from "./groth16/verifying-key.ts";
export { parseVerifyingKey } from "./groth16/verifying-key.ts";
export type { WindowAggregate, WindowClaim } from "./groth16/window-proof.ts";
export type { ConsistencyClaim, InclusionClaim } from "./merkle/tree.ts";
export {
  consistencyProof,
  inclusionProof,
  leafHash,
  merkleRoot,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from "./merkle/tree.ts";
export { sha256, verifyEd25519 } from "./portable-crypto.ts";
export type { Receipt } from "./receipt/contents.ts";
export type { Check, CheckName, Fault } from "./receipt/verdict.ts";
export { CHECKS } from "./receipt/verdict.ts";
export type { Expectations, Verdict, VerifyPorts } from "./receipt/verify.ts";
export { verifyReceipt } from "./receipt/verify.ts";
export { isRowFile } from "./row/row-file.ts";
export type { RowCheckName, RowVerdict, ShownRow } from "./row/verify-row.ts";
export { ROW_CHECKS, verifyRow } from "./row/verify-row.ts";
