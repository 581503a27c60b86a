import { toHex } from "../core/bytes.ts";
import type { Membership } from "./membership.ts";
import { isMember } from "./membership.ts";
import { sameBallot, strongEnough, type Vote } from "./vote.ts";

/** What counting a vote came to. */
export type Counted =
  | { readonly kind: "counted" | "known" | "weak" | "stranger" }
  | { readonly kind: "equivocation"; readonly first: Vote; readonly second: Vote };

/** Votes for one slot: at most one a member; signatures are checked before they come here. */
export class Tally {
  private readonly membership: Membership;
  private readonly votes = new Map<string, Vote>();

  constructor(membership: Membership) {
    this.membership = membership;
  }

  /** Counts a vote. A second, different vote of one member is evidence against it; the first stays counted. */
  add(vote: Vote): Counted {
    if (!isMember(this.membership, vote.voter)) return { kind: "stranger" };
    if (!strongEnough(vote, this.membership)) return { kind: "weak" };
    const key = toHex(vote.voter);
    const known = this.votes.get(key);
    if (known === undefined) {
      this.votes.set(key, vote);
      return { kind: "counted" };
    }
    return sameBallot(known, vote) ? { kind: "known" } : { kind: "equivocation", first: known, second: vote };
  }

  /** A quorum of matching votes, or `undefined`. */
  winner(): readonly Vote[] | undefined {
    return this.groups().find((group) => group.length >= this.membership.quorum);
  }

  /** All votes counted. */
  all(): readonly Vote[] {
    return [...this.votes.values()];
  }

  /** True when no set of further votes of the silent members can make a quorum any more. */
  stuck(): boolean {
    const silent = this.membership.members.length - this.votes.size;
    const largest = this.groups().reduce((most, group) => Math.max(most, group.length), 0);
    return largest + silent < this.membership.quorum;
  }

  private groups(): Vote[][] {
    const groups: Vote[][] = [];
    for (const vote of this.votes.values()) {
      const group = groups.find((candidate) => sameBallot(candidate[0] as Vote, vote));
      if (group === undefined) groups.push([vote]);
      else group.push(vote);
    }
    return groups;
  }
}
