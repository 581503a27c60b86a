import type { CID } from "multiformats/cid";
import { drawSeed, mustExecute } from "../../src/consensus/draw.ts";
import { slotName } from "../../src/consensus/slot.ts";
import { certificateOf, type Vote } from "../../src/consensus/vote.ts";
import { equalBytes, toHex } from "../../src/core/bytes.ts";
import { cborBlock } from "../../src/dag/block.ts";
import type { CommitteePorts, Evidence } from "./committee-ports.ts";
import type { KnownCertificate, SlotRecord } from "./slot-book.ts";

/** Makes certificates of votes, and evidence of votes that should not be. */
export class Counting {
  private readonly ports: CommitteePorts;

  constructor(ports: CommitteePorts) {
    this.ports = ports;
  }

  /** Counts a vote whose signature holds. */
  count(record: SlotRecord, vote: Vote): void {
    const unchecked = this.uncheckedBy(vote);
    if (unchecked !== undefined) return this.refuse(record, vote, unchecked);
    const counted = record.tally.add(vote);
    if (counted.kind === "weak") this.refuse(record, vote, "its policy checks less than the membership asks for");
    if (counted.kind === "equivocation") this.report(record, "equivocation", vote.voter, vote.statement);
    const certified = record.certificate.value;
    if (certified === undefined) this.tryCertify(record);
    else if (!certified.certificate.statement.equals(vote.statement))
      this.report(record, "divergent", vote.voter, vote.statement);
    if (record.certificate.value === undefined && record.tally.stuck()) record.stuck.set(true);
    // Who waits for challenges has to know of members that will not challenge: they voted for something else.
    for (const { changed } of record.statements.values()) for (const wake of changed) wake();
  }

  /** Certifies the slot when a quorum of matching votes is here, and what they were drawn from. */
  tryCertify(record: SlotRecord): void {
    const votes = record.tally.winner();
    const first = votes?.[0];
    if (votes === undefined || first === undefined || record.certificate.value !== undefined) return;
    const challenges = first.draw === null ? [] : record.statements.get(first.statement.toString())?.fixed;
    const { hash } = this.ports;
    // Another draw than the one this node agreed to is shown by the certificates of those who agreed to it, if any do.
    if (
      challenges === undefined ||
      (first.draw !== null && !equalBytes(first.draw, drawSeed(hash, first.statement, challenges)))
    )
      return;
    const certificate = certificateOf(votes, challenges);
    this.certify(record, { block: cborBlock(hash, certificate), certificate });
  }

  /** A voter that the draw tells to execute, or for whom nothing was drawn, has to have executed: else its vote spoils a certificate. */
  private uncheckedBy({ draw, executed, voter, policy }: Vote): string | undefined {
    if (executed) return undefined;
    if (draw === null) return "it did not execute the slot, though it was not drawn who does";
    if (!mustExecute(this.ports.hash, draw, voter, policy)) return undefined;
    return "it did not execute the slot, which the draw told it to";
  }

  /** A vote that checked too little proves nothing against its voter, but whoever waits for a quorum has to be able to find out why. */
  private refuse(record: SlotRecord, { voter }: Vote, why: string): void {
    const name = toHex(voter);
    if (record.reported.has(`weak/${name}`)) return;
    record.reported.add(`weak/${name}`);
    const slot = slotName(record.known.slot);
    this.ports.log.warn("a vote does not count", { slot, voter: name.slice(0, 16), why });
  }

  /** Keeps the first certificate of a slot. */
  certify(record: SlotRecord, known: KnownCertificate): void {
    if (record.certificate.value !== undefined) return;
    record.certificate.set(known);
    const { statement } = known.certificate;
    for (const vote of record.tally.all())
      if (!vote.statement.equals(statement)) this.report(record, "divergent", vote.voter, vote.statement);
  }

  /** Evidence of one kind against one member for one slot is told once, however much there is of it. */
  report(record: SlotRecord, kind: Evidence["kind"], voter: Uint8Array, statement: CID): void {
    const mark = `${kind}/${toHex(voter)}`;
    if (record.reported.has(mark)) return;
    record.reported.add(mark);
    this.ports.onEvidence({ kind, voter, slot: record.known, statement });
  }
}
