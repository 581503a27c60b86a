import { CID } from "multiformats/cid";
import { statementsRoot } from "../../../../proofs/merkle/statements.ts";
import { inCidOrder } from "../../../../proofs/receipt/build.ts";
import { type ReceiptRoot, signRoot } from "../../../../proofs/receipt/root.ts";
import { type RowProof, rowProofId } from "../../../../proofs/window/row-proof.ts";
import { drawSeed } from "../../../../src/consensus/draw.ts";
import { type Slot, signSlot } from "../../../../src/consensus/slot.ts";
import type { Seal, Statement } from "../../../../src/consensus/statement.ts";
import { type Certificate, signChallenge, signVote } from "../../../../src/consensus/vote.ts";
import { compareBytes, toHex } from "../../../../src/core/bytes.ts";
import type { Signer } from "../../../../src/core/ports.ts";
import { type Block, CODEC, cborBlock, decodeBlock, jsonBlock, rawBlock } from "../../../../src/dag/block.ts";
import { encodeCar, readCar } from "../../../../src/dag/car.ts";
import { sha256 } from "../../../../src/node.ts";

/** Any node, to be read and changed at will. */
export type Node = Record<string, unknown>;

/**
 * A receipt under forgery. Nodes are read and changed under their original CIDs; `seal` then rebuilds everything: links follow
 * what they pointed to, counts and roots are made right, and whatever the keys in hand can sign is signed again. What they
 * cannot sign keeps its old signature.
 */
export class Forgery {
  root: ReceiptRoot;
  private readonly nodes = new Map<string, unknown>();
  private readonly codes = new Map<string, number>();

  constructor(bytes: Uint8Array) {
    const { root, blocks } = readCar(sha256, bytes);
    for (const block of blocks.values()) this.keep(block);
    this.root = this.nodes.get(root.toString()) as ReceiptRoot;
  }

  /** A node as it is now. */
  get<T>(cid: CID): T {
    return this.nodes.get(cid.toString()) as T;
  }

  /** Changes a node. */
  edit<T>(cid: CID, change: (node: T) => T): void {
    this.nodes.set(cid.toString(), change(this.get<T>(cid)));
  }

  /** Adds a node that may be linked from now on. */
  add(value: unknown): CID {
    const block = value instanceof Uint8Array ? rawBlock(sha256, value) : cborBlock(sha256, value);
    this.keep(block);
    return block.cid;
  }

  editRoot(change: (root: ReceiptRoot) => Partial<ReceiptRoot>): void {
    this.root = { ...this.root, ...change(this.root) };
  }

  /** Statement `seq` of a task: its place in the root's lists and its nodes' CIDs. */
  place(
    task: string,
    seq: number,
  ): { readonly index: number; readonly statement: CID; readonly slot: CID; readonly certificate: CID } {
    const index = this.root.statements.findIndex((cid) => {
      const slot = this.get<Slot>(this.get<Statement>(cid).slot);
      return slot.task === task && slot.seq === seq;
    });
    const statement = this.root.statements[index] as CID;
    return {
      index,
      statement,
      slot: this.get<Statement>(statement).slot,
      certificate: this.root.certificates[index] as CID,
    };
  }

  /** Newest entry of the first journal whose actor begins so. */
  journal(prefix: string): [string, CID] {
    return Object.entries(this.root.journals).find(([actor]) => actor.startsWith(prefix)) as [string, CID];
  }

  /** Rebuilds the receipt with these keys; without the submitter's the root keeps its old signature. */
  seal(signers: readonly Signer[]): Uint8Array {
    return new Rebuild(this.root, this.nodes, this.codes, signers).run();
  }

  private keep({ cid, bytes }: Block): void {
    this.codes.set(cid.toString(), cid.code);
    this.nodes.set(cid.toString(), decodeBlock({ cid, bytes }));
  }
}

class Rebuild {
  private readonly root: ReceiptRoot;
  private readonly nodes: ReadonlyMap<string, unknown>;
  private readonly codes: ReadonlyMap<string, number>;
  private readonly signers: ReadonlyMap<string, Signer>;
  private readonly done = new Map<string, CID>();
  private readonly blocks = new Map<string, Block>();

  constructor(
    root: ReceiptRoot,
    nodes: ReadonlyMap<string, unknown>,
    codes: ReadonlyMap<string, number>,
    signers: readonly Signer[],
  ) {
    this.root = root;
    this.nodes = nodes;
    this.codes = codes;
    this.signers = new Map(signers.map((signer) => [toHex(signer.publicKey), signer]));
  }

  run(): Uint8Array {
    const { signature, ...rest } = this.relinked(this.root) as ReceiptRoot;
    const ordered = inCidOrder(this.blocks.values());
    const body = {
      ...rest,
      blocks: {
        count: ordered.length,
        merkleRoot: statementsRoot(
          sha256,
          ordered.map(({ cid }) => cid),
        ),
      },
    };
    const { submitter } = this.nodes.get(this.root.membership.toString()) as { submitter: Uint8Array };
    const signer = this.signers.get(toHex(submitter));
    const block = jsonBlock(sha256, signer === undefined ? { ...body, signature } : signRoot(body, signer));
    return encodeCar(block.cid, [block, ...ordered]);
  }

  private cid(old: CID): CID {
    const key = old.toString();
    if (!this.nodes.has(key)) return old;
    const known = this.done.get(key);
    if (known !== undefined) return known;
    const value = this.nodes.get(key);
    const block =
      this.codes.get(key) === CODEC.raw
        ? rawBlock(sha256, value as Uint8Array)
        : cborBlock(sha256, this.made(value as Node, key));
    this.done.set(key, block.cid);
    this.blocks.set(block.cid.toString(), block);
    return block.cid;
  }

  private made(node: Node, key: string): unknown {
    if (node["kind"] === "seal") return this.sealed(node as Seal);
    if ("submitter" in node && "stage" in node) return this.slot(this.relinked(node) as Slot);
    if ("votes" in node && "challenges" in node) return this.certificate(node as Certificate);
    if ("voter" in node && "signature" in node) return this.lone(node, key);
    return this.relinked(node);
  }

  /** Seals cover the statements listed, unless a test has set a root of its own. */
  private sealed(seal: Seal): unknown {
    const { count, root } = seal.statements;
    const own =
      count < 0
        ? { count: -count, root }
        : {
            count: this.root.statements.length,
            root: statementsRoot(
              sha256,
              this.root.statements.map((cid) => this.cid(cid)),
            ),
          };
    return { ...(this.relinked(seal) as Seal), statements: own };
  }

  private slot(slot: Slot): unknown {
    const { signature: _, ...body } = slot;
    const signer = this.signers.get(toHex(slot.submitter));
    return signer === undefined ? slot : signSlot(body, signer);
  }

  private certificate(node: Certificate): unknown {
    const certificate = this.relinked(node) as Certificate;
    const challenges = certificate.challenges.map((challenge) => {
      const signer = this.signers.get(toHex(challenge.voter));
      return signer === undefined ? challenge : signChallenge(challenge.statement, challenge.nonce, signer);
    });
    const drawn = drawSeed(sha256, certificate.statement, challenges);
    const able = certificate.votes.every(({ voter }) => this.signers.has(toHex(voter)));
    if (!able) return { ...certificate, challenges };
    const proofs = this.proofsOf(node.statement);
    const votes = certificate.votes.map((vote) => {
      const { voter, signature: _, ...body } = vote;
      // Links that a test pointed elsewhere stay where they point.
      return signVote(
        { ...body, proofs, draw: vote.draw === null ? null : drawn },
        this.signers.get(toHex(voter)) as Signer,
      );
    });
    return { ...certificate, challenges, proofs, votes };
  }

  private proofsOf(statement: CID): Uint8Array[] {
    const own = this.root.proofs
      .map((cid) => this.nodes.get(cid.toString()) as RowProof)
      .filter((proof) => proof.statement.equals(statement));
    return own.map((proof) => rowProofId(sha256, this.relinked(proof) as RowProof));
  }

  /** A vote in a journal is the one in its certificate. */
  private lone(node: Node, _key: string): unknown {
    const vote = this.relinked(node) as Certificate["votes"][number];
    const signer = this.signers.get(toHex(vote.voter));
    const { voter: _, signature: __, ...body } = vote;
    return signer === undefined ? vote : signVote(body, signer);
  }

  private relinked(value: unknown): unknown {
    if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
    const link = CID.asCID(value);
    if (link !== null) return this.cid(link);
    if (Array.isArray(value)) return value.map((item) => this.relinked(item));
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.relinked(item)]));
  }
}

/** Voters ascending, as certificates want them. */
export function byVoter<T extends { readonly voter: Uint8Array }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => compareBytes(a.voter, b.voter));
}
