import { IpdmError } from "../../core/errors.ts";

/** The error for something in a file that is no block, with its place. */
export function malformedBlock(file: string, offset: number, why: string): IpdmError {
  return new IpdmError("CHAIN_BLOCK_MALFORMED", `${file} holds something that is no block, at byte ${offset}: ${why}`, {
    kind: "verification",
    where: `${file}:${offset}`,
    hint: "get the file again: a block as JSON-RPC gives it, with whole transactions, of Ethereum also its receipts",
    facts: { file, offset },
  });
}

/** The error for a block that lacks what belongs to it, or the other way round. */
export function incompleteBlock(file: string, offset: number, what: string): IpdmError {
  return new IpdmError("CHAIN_INCOMPLETE", `${file} holds ${what}`, {
    kind: "verification",
    where: `${file}:${offset}`,
    hint: "put both into one object, behind each other in one file, or in two files of one folder",
    facts: { file, offset },
  });
}

/** The error for blocks that are not there. */
export function missingBlock(missing: number, found: string): IpdmError {
  return new IpdmError("CHAIN_GAP", `block ${missing} is missing: ${found}`, {
    kind: "verification",
    where: `block ${missing}`,
    hint: "add it, or set range to blocks that are there",
    facts: { block: missing },
  });
}

/** The error for one number that two blocks have. */
export function duplicateBlock(number: number, one: string, other: string): IpdmError {
  return new IpdmError("CHAIN_DUPLICATE", `block ${number} is there twice: ${one} and ${other}`, {
    kind: "verification",
    where: `block ${number}`,
    hint: "keep one of the two",
    facts: { block: number },
  });
}

/** The error for a trusted hash that the blocks do not have. */
export function anchorMismatch(message: string, facts: Readonly<Record<string, unknown>>): IpdmError {
  return new IpdmError("CHAIN_ANCHOR_MISMATCH", message, {
    kind: "verification",
    hint: "these are not the blocks that the trusted hash belongs to; or the hash is that of another block",
    facts,
  });
}
