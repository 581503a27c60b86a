import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import { z } from "zod";
import { drawSeed } from "../../src/consensus/draw.ts";
import { bytes32, link, parseNode } from "../../src/consensus/ipld-schema.ts";
import type { Membership } from "../../src/consensus/membership.ts";
import { isMember, MEMBERS_MAX } from "../../src/consensus/membership.ts";
import {
  type Challenge,
  challengeSigned,
  parseChallenge,
  signChallenge,
  VOTE_PROOFS_MAX,
} from "../../src/consensus/vote.ts";
import { equalBytes, toHex } from "../../src/core/bytes.ts";
import { IpdmError } from "../../src/core/errors.ts";
import type { Hash, Signer, Verify } from "../../src/core/ports.ts";
import type { Block } from "../../src/dag/block.ts";
import { cborBlock, decodeStrict } from "../../src/dag/block.ts";
import type { MetaStore } from "../../src/journal/port.ts";
import type { ReadBlock } from "../../src/runtime/stage/runner.ts";
import type { Committee } from "./committee.ts";
import type { DrawSubject } from "./committee-ports.ts";

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
  readonly meta: MetaStore;
}

/** The executor fixes its statement, collects challenges and learns what they draw. */
export async function drawAsExecutor(
  ports: DrawPorts,
  subject: DrawSubject,
  signal: AbortSignal,
): Promise<Omit<Draw, "proofs">> {
  const { committee, membership, hash } = ports;
  await committee.announce(subject);
  const challenges = await committee.challenges(subject, membership.submitter, signal);
  return { seed: drawSeed(hash, subject.statement, challenges), challenges };
}

/**
 * The draw that this node published or agreed to before, told to the committee again. A restart must not draw anew: votes for
 * the first draw may be out, and votes for two draws never meet.
 */
export async function recallDraw(ports: DrawPorts, subject: DrawSubject): Promise<Draw | undefined> {
  const { hash, meta, read, committee, membership, signer } = ports;
  const kept = await meta.get(drawKey(subject.statement));
  if (kept === undefined) return undefined;
  const cid = CID.decode(kept);
  const node = parseNode(drawSchema, "draw", decodeStrict(hash, { cid, bytes: await read(cid) }));
  const challenges = node.challenges.map(parseChallenge);
  committee.agree(subject, challenges);
  if (equalBytes(signer.publicKey, membership.submitter)) {
    await committee.announce(subject);
    await committee.publishDraw(subject, cid);
  }
  return { seed: drawSeed(hash, subject.statement, challenges), challenges, proofs: node.proofs };
}

/** Key under which a node remembers the draw it agreed to for a statement. */
function drawKey(statement: CID): string {
  return `draw/${statement.toString()}`;
}

/** The executor publishes what it drew and proved. */
export async function publishDraw(ports: DrawPorts, subject: DrawSubject, draw: Draw): Promise<void> {
  const { statement } = subject;
  const block = cborBlock(ports.hash, { v: 1, statement, challenges: draw.challenges, proofs: draw.proofs });
  await ports.put([block]);
  await ports.meta.put(drawKey(statement), block.cid.bytes);
  ports.committee.agree(subject, draw.challenges);
  await ports.committee.publishDraw(subject, block.cid);
}

/**
 * A voter that holds the executor's statement challenges it and waits for the draw, which may rest on the challenges of a quorum
 * without its own. Throws `DRAW_INVALID` when there are too few, or some that are not their members' own.
 */
export async function drawAsVoter(ports: DrawPorts, subject: DrawSubject, signal: AbortSignal): Promise<Draw> {
  const { committee, membership, hash, signer, verify } = ports;
  const { slot, statement } = subject;
  const kept = await recallDraw(ports, subject);
  if (kept !== undefined) return kept;
  await committee.challenge(slot, signChallenge(statement, nonceFor(hash, signer, statement), signer));
  const cid = await committee.draw(subject, signal);
  const bytes = await ports.read(cid, signal);
  const node = parseNode(drawSchema, "draw", decodeStrict(hash, { cid, bytes }));
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
    throw new IpdmError("DRAW_INVALID", "the executor's draw does not rest on enough members' own challenges", {
      kind: "verification",
      where: cid.toString(),
    });
  }
  await ports.put([{ cid, bytes }]);
  await ports.meta.put(drawKey(statement), cid.bytes);
  committee.agree(subject, challenges);
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
export function saltFor(
  hash: Hash,
  signer: Signer,
  statement: CID,
  column: string,
  row: number,
  chunk: number,
): Uint8Array {
  return hash(signer.sign(dagCbor.encode(["ipdm/salt/1", statement, column, row, chunk])));
}
