import type { CID } from "multiformats/cid";
import type { Membership } from "../../src/consensus/membership.ts";
import { parseSlot, placeText, type Slot, slotName, slotSigned } from "../../src/consensus/slot.ts";
import { type Certificate, certificateFault, parseCertificate } from "../../src/consensus/vote.ts";
import { toHex } from "../../src/core/bytes.ts";
import type { Hash, Verify } from "../../src/core/ports.ts";
import { CODEC, decodeBlock } from "../../src/dag/block.ts";
import type { Receipt } from "./contents.ts";
import { rootSigned } from "./root.ts";
import { refuse } from "./verdict.ts";

/** How the votes of a receipt checked what they are for. */
export interface VoteCounts {
  readonly votes: number;
  /** Votes whose voter executed the slot itself. */
  readonly executed: number;
  /** Votes whose voter read the sources itself, or computed from what it had read. */
  readonly read: number;
}

/**
 * Checks the root's signature, every slot's and every certificate, that no slot has two, and, with `trusted` keys (hexadecimal), that every
 * signer is one of them. Returns the number of signatures checked and how the voters voted.
 */
export function checkVotes(
  receipt: Receipt,
  hash: Hash,
  verify: Verify,
  trusted: ReadonlySet<string> | undefined,
): { count: number; votes: VoteCounts } {
  const { membership, tasks, seal } = receipt;
  checkTrusted(membership, trusted);
  if (!rootSigned(receipt.root, membership.submitter, verify))
    refuse("SIGNATURE_INVALID", "root", "the receipt's signature is not the submitter's");
  checkOneCertificateEach(receipt);
  let count = 1;
  let votes = 0;
  let executed = 0;
  let read = 0;
  const check = (slot: Slot, slotCid: CID, statementCid: CID, certificate: Certificate): void => {
    checkCertified(
      { membership, membershipCid: receipt.root.membership, hash, verify },
      { slot, slotCid, statementCid, certificate },
    );
    count += 1 + certificate.votes.length + certificate.challenges.length;
    votes += certificate.votes.length;
    executed += certificate.votes.filter((vote) => vote.executed).length;
    read += certificate.votes.filter((vote) => vote.inputs === "read").length;
  };
  for (const task of tasks)
    for (const { slot, slotCid, statementCid, certificate } of task.commits)
      check(slot, slotCid, statementCid, certificate);
  check(seal.slot, seal.slotCid, seal.statementCid, seal.certificate);
  return { count, votes: { votes, executed, read } };
}

/** With `trusted` keys (hexadecimal), refuses a membership with a key that is not one of them. */
export function checkTrusted({ members }: Membership, trusted: ReadonlySet<string> | undefined): void {
  if (trusted === undefined) return;
  for (const member of members) {
    if (!trusted.has(toHex(member)))
      refuse("VOTE_UNTRUSTED", `membership/${toHex(member)}`, "a member's key is not among the keys you trust");
  }
}

/** A slot, the statement certified for it, and the certificate. */
export interface Certified {
  readonly slot: Slot;
  readonly slotCid: CID;
  readonly statementCid: CID;
  readonly certificate: Certificate;
}

/** Whose word counts, and what checks it. */
export interface CertifyingPorts {
  readonly membership: Membership;
  readonly membershipCid: CID;
  readonly hash: Hash;
  readonly verify: Verify;
}

/** Refuses a slot that the membership's submitter did not sign, and a certificate that is not a quorum's for this statement of it. */
export function checkCertified(
  { membership, membershipCid, hash, verify }: CertifyingPorts,
  { slot, slotCid, statementCid, certificate }: Certified,
): void {
  const where = slotName(slot);
  if (!slot.membership.equals(membershipCid))
    refuse("MEMBERSHIP_MISMATCH", where, "the slot is for another membership");
  if (!slotSigned(slot, membership, verify))
    refuse("SIGNATURE_INVALID", where, "the slot's signature is not the submitter's");
  if (!certificate.slot.equals(slotCid) || !certificate.statement.equals(statementCid))
    refuse("VOTE_MISMATCH", where, "the certificate is for another statement");
  const fault = certificateFault(certificate, membership, hash, verify);
  if (fault !== undefined) refuse(fault.code, where, fault.message);
}

/**
 * Looks at every block, wherever it is linked from: a receipt that shows two certificates for one place proves that its domain is
 * broken. A submitter that signs two slots for one place equivocates like a voter that signs two statements for one slot.
 */
function checkOneCertificateEach(receipt: Receipt): void {
  const seen = new Map<string, CID>();
  for (const block of receipt.blocks.values()) {
    const certificate = block.cid.code === CODEC.dagCbor ? asCertificate(decodeBlock(block)) : undefined;
    if (certificate === undefined) continue;
    const slot = slotOf(receipt, certificate.slot);
    const place = `${slot.membership.toString()}/${placeText(slot)}`;
    const other = seen.get(place);
    if (other !== undefined) {
      const same = other.equals(certificate.statement);
      refuse(
        same ? "CERTIFICATE_DUPLICATE" : "CONFLICTING_CERTIFICATES",
        slotName(slot),
        same ? "a slot has two certificates" : "two statements are certified for one slot",
      );
    }
    seen.set(place, certificate.statement);
  }
}

function slotOf({ blocks }: Receipt, cid: CID): Slot {
  const block = blocks.get(cid.toString());
  if (block === undefined) return refuse("CAR_LINK_MISSING", cid.toString(), "the slot of a certificate is missing");
  return parseSlot(decodeBlock(block));
}

function asCertificate(node: unknown): Certificate | undefined {
  if (typeof node !== "object" || node === null || !("votes" in node) || !("challenges" in node)) return undefined;
  return parseCertificate(node);
}
