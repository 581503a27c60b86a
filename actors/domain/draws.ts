import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { z } from "zod";
import { equalBytes, toHex } from "../../src/core/bytes.ts";
import { IpdmError } from "../../src/core/errors.ts";
import type { Hash, Signer, Verify } from "../../src/core/ports.ts";
import { drawSeed } from "../../src/consensus/draw.ts";
import { bytes32, link, parseNode } from "../../src/consensus/ipld-schema.ts";
import type { Membership } from "../../src/consensus/membership.ts";
import { isMember, MEMBERS_MAX } from "../../src/consensus/membership.ts";
import { type Challenge, challengeSigned, parseChallenge, signChallenge, VOTE_PROOFS_MAX } from "../../src/consensus/vote.ts";
import type { Block } from "../../src/dag/block.ts";
import { cborBlock, decodeStrict } from "../../src/dag/block.ts";
import type { ReadBlock } from "../../src/runtime/stage/runner.ts";
import type { Committee } from "./committee.ts";

const drawSchema = z.strictObject({
  v: z.literal(1),
  statement: link,
  challenges: z.array(z.unknown()).max(MEMBERS_MAX),
  proofs: z.array(z.strictObject({ proof: link, salts: z.array(bytes32).max(1024) })).max(VOTE_PROOFS_MAX),
});

/** What the executor shows the voters: the challenges it drew from, the proofs it made, and the salts of their commitments. */
export interface Draw {
  readonly seed: Uint8Array;
  readonly challenges: readonly Challenge[];
  readonly proofs: readonly { readonly proof: CID; readonly salts: readonly Uint8Array[] }[];
}

/** What draws need of a node. */
export interface DrawPorts {
  readonly hash: Hash;
  readonly verify: Verify;
  readonly signer: Signer;
  readonly membership: Membership;
  readonly committee: Committee;
  readonly read: ReadBlock;
  readonly put: (blocks: readonly Block[]) => Promise<void>;
}

/** A slot and the statement to draw for. */
export interface DrawSubject {
  readonly slot: CID;
  readonly statement: CID;
}

/** The executor fixes its statement, collects challenges and learns what they draw. */
export async function drawAsExecutor(ports: DrawPorts, { slot, statement }: DrawSubject, signal: AbortSignal): Promise<Omit<Draw, "proofs">> {
  const { committee, membership, hash } = ports;
  await committee.announce(slot, statement);
  const challenges = await committee.challenges(statement, membership.submitter, signal);
  return { seed: drawSeed(hash, statement, challenges), challenges };
}

/** The executor publishes what it drew and proved. */
export async function publishDraw(ports: DrawPorts, { slot, statement }: DrawSubject, draw: Draw): Promise<void> {
  const block = cborBlock(ports.hash, { v: 1, statement, challenges: draw.challenges, proofs: draw.proofs });
  await ports.put([block]);
  ports.committee.agree(slot, statement, draw.challenges);
  await ports.committee.publishDraw(statement, block.cid);
}

/**
 * A voter that holds the executor's statement challenges it and waits for the draw. Its own challenge must be among those
 * drawn from unless a quorum answered without it. Throws `DRAW_INVALID` when the draw does not follow from its challenges.
 */
export async function drawAsVoter(ports: DrawPorts, { slot, statement }: DrawSubject, signal: AbortSignal): Promise<Draw> {
  const { committee, membership, hash, signer, verify } = ports;
  await committee.challenge(signChallenge(statement, nonceFor(hash, signer, statement), signer));
  const cid = await committee.draw(statement, signal);
  const node = parseNode(drawSchema, "draw", decodeStrict(hash, { cid, bytes: await ports.read(cid) }));
  const challenges = node.challenges.map(parseChallenge);
  const voters = new Set(challenges.map((challenge) => toHex(challenge.voter)));
  const honest = challenges.every(
    (challenge) =>
      challenge.statement.equals(statement) &&
      isMember(membership, challenge.voter) &&
      !equalBytes(challenge.voter, membership.submitter) &&
      challengeSigned(challenge, verify),
  );
  const enough = challenges.length >= Math.min(membership.members.length, membership.quorum) - 1;
  if (!honest || !enough || voters.size !== challenges.length || !node.statement.equals(statement)) {
    throw new IpdmError("DRAW_INVALID", "the executor's draw does not rest on enough members' own challenges", { kind: "verification", where: cid.toString() });
  }
  committee.agree(slot, statement, challenges);
  return { seed: drawSeed(hash, statement, challenges), challenges, proofs: node.proofs };
}

/**
 * This node's challenge to a statement: SHA-256 of its own signature over it, so that nobody else can foresee it and a restart
 * repeats it.
 */
function nonceFor(hash: Hash, signer: Signer, statement: CID): Uint8Array {
  return hash(signer.sign(dagCbor.encode(["ipdm/nonce/1", statement])));
}

/** Salt of one commitment, by the same means: nobody without the executor's key can guess it. */
export function saltFor(hash: Hash, signer: Signer, statement: CID, column: string, row: number, chunk: number): Uint8Array {
  return hash(signer.sign(dagCbor.encode(["ipdm/salt/1", statement, column, row, chunk])));
}
