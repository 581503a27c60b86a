/** Checking and redoing what a receipt claims (`ipdm-runtime/replay`). */
export type { Fault } from "../../proofs/receipt/verdict.ts";
export type { Expectations, Verdict } from "../../proofs/receipt/verify.ts";
export { replayJournal } from "../runtime/replay-journal.ts";
export type { JournalReplay, JournalReplayReport, ReplayMismatch } from "../runtime/replay-report.ts";
export type { Cause } from "./diff/causes.ts";
export type { DiffReport, FirstDifference } from "./diff/diff.ts";
export type { DiffFileOptions, FileDiff } from "./diff/diff-file.ts";
export { diffReceiptFiles } from "./diff/diff-file.ts";
export type { Mismatch, ReplayReport } from "./replay.ts";
export type { FileReplay, ReplayFileOptions } from "./replay-file.ts";
export { replayReceiptFile } from "./replay-file.ts";
export type { FileVerdict, VerifyFileOptions } from "./verify-file.ts";
export { verifyReceiptFile } from "./verify-file.ts";
