import { z } from "zod";
import { compareBytes, equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import { bytes32, count, name, parseNode } from "./ipld-schema.ts";

/** Members of a domain. */
export const MEMBERS_MAX = 31;

/**
 * How a voter checks a statement before it signs: `full` re-executes every slot, `sample` re-executes the share of slots
 * that the challenges draw for it and checks the chain of states and inputs for the rest.
 */
export const policySchema = z.discriminatedUnion("verify", [
  z.strictObject({ verify: z.literal("full") }),
  z.strictObject({ verify: z.literal("sample"), share: z.number().int().min(1).max(1_000_000) }),
]);
/** See {@link policySchema}; `share` in millionths. */
export type Policy = z.infer<typeof policySchema>;

const membershipSchema = z.strictObject({
  v: z.literal(1),
  domain: name,
  epoch: count,
  members: z.array(bytes32).min(1).max(MEMBERS_MAX),
  submitter: bytes32,
  quorum: z.number().int().min(1).max(MEMBERS_MAX),
  policy: policySchema,
});

/** The keys that may vote in an epoch of a domain, who submits work, how many votes make a certificate, and the policy asked for. */
export type Membership = z.infer<typeof membershipSchema>;

/** Reads a membership node: members ascending and distinct, the submitter among them, a quorum of more than half. Throws `NODE_MALFORMED`. */
export function parseMembership(value: unknown): Membership {
  const membership = parseNode(membershipSchema, "membership", value);
  const { members, quorum } = membership;
  const ascending = members.every((key, i) => i === 0 || compareBytes(members[i - 1] as Uint8Array, key) < 0);
  if (!ascending) throw invalid("members are not ascending and distinct");
  if (!isMember(membership, membership.submitter)) throw invalid("the submitter is not a member");
  if (quorum > members.length || 2 * quorum <= members.length)
    throw invalid(`a quorum of ${quorum} of ${members.length}`);
  return membership;
}

/** True when the key belongs to a member. */
export function isMember(membership: Membership, key: Uint8Array): boolean {
  return membership.members.some((member) => equalBytes(member, key));
}

/** n members, q votes a certificate, and f: how many equivocating members it takes, at least, minus one, for two certificates of one slot. */
export interface QuorumNumbers {
  readonly n: number;
  readonly q: number;
  readonly f: number;
}

/**
 * The numbers that `verify` prints. Two certificates for one slot need at least 2q - n members who sign both, so they are
 * impossible while at most f = 2q - n - 1 members equivocate.
 */
export function quorumNumbers(membership: Membership): QuorumNumbers {
  const n = membership.members.length;
  const q = membership.quorum;
  return { n, q, f: Math.max(0, 2 * q - n - 1) };
}

function invalid(what: string): IpdmError {
  return new IpdmError("NODE_MALFORMED", `not a membership: ${what}`, { kind: "verification", where: "membership" });
}
