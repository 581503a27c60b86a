import type { CID } from "multiformats/cid";
import type { Committed, TaskCommits } from "../../src/consensus/coverage.ts";
import { type Membership, parseMembership } from "../../src/consensus/membership.ts";
import { type ModuleEntry, parseModuleEntry } from "../../src/consensus/module-entry.ts";
import {
  type Anchor,
  parseAnchor,
  parseResult,
  parseStage,
  type Result,
  type Stage,
} from "../../src/consensus/result.ts";
import { parseSlot, SLOT_BATCHES_MAX, type Slot } from "../../src/consensus/slot.ts";
import { parseSeal, parseStatement, SEAL_TASK, type Seal } from "../../src/consensus/statement.ts";
import { type Certificate, parseCertificate } from "../../src/consensus/vote.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import type { Hash } from "../../src/core/ports.ts";
import { type Block, CODEC, decodeBlock } from "../../src/dag/block.ts";
import { readCar, walk } from "../../src/dag/car.ts";
import { statementsRoot } from "../merkle/statements.ts";
import { parseRowProof, type RowProof } from "../window/row-proof.ts";
import { inCidOrder, isExternal } from "./build.ts";
import { parseReceiptConfig, parseReceiptRoot, type ReceiptConfig, type ReceiptRoot } from "./root.ts";
import { refuse } from "./verdict.ts";

/** A certified piece of work as a receipt shows it. */
export interface ShownCommit extends Committed {
  readonly certificate: Certificate;
}

/** A task's certified work in sequence. */
export interface ShownTask extends TaskCommits {
  readonly commits: readonly ShownCommit[];
}

/** A receipt, read: every block checked against its CID, every node parsed. What the nodes claim is still to be checked. */
export interface Receipt {
  readonly rootCid: CID;
  readonly root: ReceiptRoot;
  readonly blocks: ReadonlyMap<string, Block>;
  readonly config: ReceiptConfig;
  readonly membership: Membership;
  readonly result: Result;
  readonly seal: {
    readonly slot: Slot;
    readonly slotCid: CID;
    readonly statement: Seal;
    readonly statementCid: CID;
    readonly certificate: Certificate;
  };
  readonly tasks: readonly ShownTask[];
  readonly stages: ReadonlyMap<string, Stage>;
  readonly anchors: ReadonlyMap<string, Anchor>;
  /** Entries of the versions that slots run, by their CIDs. Their signatures are still to be checked. */
  readonly entries: ReadonlyMap<string, ModuleEntry>;
  readonly proofs: readonly { readonly cid: CID; readonly proof: RowProof }[];
}

/** Reads the blocks of a receipt and its root. Throws `CAR_*`, `DAG_*`, `NODE_MALFORMED`, `BLOCKS_MISMATCH`, all of kind `verification`. */
export function readBlocks(
  hash: Hash,
  bytes: Uint8Array,
): { readonly rootCid: CID; readonly root: ReceiptRoot; readonly blocks: ReadonlyMap<string, Block> } {
  const { root: rootCid, blocks } = readCar(hash, bytes);
  if (rootCid.code !== CODEC.dagJson)
    refuse("NODE_MALFORMED", rootCid.toString(), "the root of a receipt is a dag-json node");
  const root = parseReceiptRoot(decodeBlock(blocks.get(rootCid.toString()) as Block));
  const others = inCidOrder([...blocks.values()].filter((block) => !block.cid.equals(rootCid)));
  if (others.length !== root.blocks.count)
    refuse(
      "BLOCKS_MISMATCH",
      "blocks",
      `the receipt holds ${others.length} blocks, its root names ${root.blocks.count}`,
    );
  const merkle = statementsRoot(
    hash,
    others.map((block) => block.cid),
  );
  if (!equalBytes(merkle, root.blocks.merkleRoot))
    refuse("BLOCKS_MISMATCH", "blocks", "the blocks are not those that the root names");
  const [first, ...rest] = [...blocks.values()];
  if (first?.cid.equals(rootCid) !== true || rest.some((block, i) => block !== others[i])) {
    refuse("BLOCKS_ORDER", "blocks", "a receipt holds its root first and the other blocks in the order of their CIDs");
  }
  return { rootCid, root, blocks };
}

/** Follows every link: nothing may be missing, nothing unreferenced. Returns how many blocks and external CIDs were reached. */
export function checkLinks(rootCid: CID, root: ReceiptRoot, blocks: ReadonlyMap<string, Block>): number {
  const modules = new Set(root.modules.map(String));
  const walked = walk(rootCid, blocks, { external: (cid) => isExternal(cid, modules) });
  const foreign = walked.blocks.find(({ cid }) => isExternal(cid, modules));
  if (foreign !== undefined)
    refuse("RECEIPT_SHAPE", foreign.cid.toString(), "batches and operator states have no place in a receipt");
  return walked.blocks.length + walked.external.length;
}

/** Parses the nodes of a receipt. Throws `NODE_MALFORMED`, `RECEIPT_SHAPE`. */
export function readContents(rootCid: CID, root: ReceiptRoot, blocks: ReadonlyMap<string, Block>): Receipt {
  const nodeOf = (cid: CID): unknown => {
    const block = blocks.get(cid.toString());
    if (block === undefined) return refuse("CAR_LINK_MISSING", cid.toString(), "a block is missing");
    return decodeBlock(block);
  };
  const result = parseResult(nodeOf(root.result));
  if (root.statements.length !== root.certificates.length)
    refuse("RECEIPT_SHAPE", "certificates", "not every statement has one certificate");
  const commits = root.statements.map((statementCid, i): ShownCommit => {
    const statement = parseStatement(nodeOf(statementCid));
    const slot = parseSlot(nodeOf(statement.slot));
    if (slot.input.batches.length > SLOT_BATCHES_MAX)
      refuse("RECEIPT_SHAPE", slot.task, "a slot names too many batches");
    return {
      slot,
      slotCid: statement.slot,
      statement,
      statementCid,
      certificate: parseCertificate(nodeOf(root.certificates[i] as CID)),
    };
  });
  const names = Object.keys(result.tasks).sort();
  if (names.includes(SEAL_TASK)) refuse("RECEIPT_SHAPE", SEAL_TASK, "no task may have the name of the seal");
  const tasks = names.map((task) => {
    const { input, beside } = result.tasks[task] as Result["tasks"][string];
    return { task, input, ...(beside && { beside }), commits: commits.filter(({ slot }) => slot.task === task) };
  });
  const inOrder = tasks.flatMap((task) => task.commits);
  if (inOrder.length !== commits.length || inOrder.some((commit, i) => commit !== commits[i])) {
    refuse("RECEIPT_SHAPE", "statements", "the statements are not those of the result's tasks, in order");
  }
  const stages = new Map(
    tasks.map(({ task, commits: own }) => [
      task,
      parseStage(nodeOf(own[0]?.slot.stage ?? refuse("COVERAGE_GAP", task, "the task has no statements"))),
    ]),
  );
  const anchors = new Map(Object.entries(result.inputs).map(([name, cid]) => [name, parseAnchor(nodeOf(cid))]));
  return {
    rootCid,
    root,
    blocks,
    result,
    tasks,
    stages,
    anchors,
    entries: readEntries(commits, nodeOf),
    config: parseReceiptConfig(nodeOf(root.config)),
    membership: parseMembership(nodeOf(root.membership)),
    seal: readSeal(root, nodeOf),
    proofs: root.proofs.map((cid) => ({ cid, proof: parseRowProof(nodeOf(cid)) })),
  };
}

/** The entry of each version that slots run, parsed once. */
function readEntries(commits: readonly Committed[], nodeOf: (cid: CID) => unknown): ReadonlyMap<string, ModuleEntry> {
  const versions = new Map<string, CID>();
  for (const { slot } of commits) if (slot.version !== undefined) versions.set(slot.version.toString(), slot.version);
  return new Map([...versions].map(([key, cid]) => [key, parseModuleEntry(nodeOf(cid))]));
}

function readSeal({ seal }: ReceiptRoot, nodeOf: (cid: CID) => unknown): Receipt["seal"] {
  const sealed = parseSeal(nodeOf(seal.statement));
  const sealSlot = parseSlot(nodeOf(sealed.slot));
  const { from, rows, end, batches } = sealSlot.input;
  if (
    sealSlot.task !== SEAL_TASK ||
    sealSlot.version !== undefined ||
    sealSlot.seq !== 0 ||
    from !== 0 ||
    rows !== 0 ||
    !end ||
    batches.length > 0
  ) {
    refuse("SEAL_MISMATCH", "seal", "the seal is for another slot");
  }
  return {
    slot: sealSlot,
    slotCid: sealed.slot,
    statement: sealed,
    statementCid: seal.statement,
    certificate: parseCertificate(nodeOf(seal.certificate)),
  };
}
