import { keccak_256 } from "@noble/hashes/sha3.js";
import { base58btc } from "multiformats/bases/base58";
import { encodeHeader, headerSchema } from "../../proofs/ethereum/encodings.ts";
import { blockHashes } from "../../proofs/receipt/chain-check.ts";
import type { Receipt } from "../../proofs/receipt/contents.ts";
import type { Batch } from "../batch/batch.ts";
import { valueAt } from "../batch/column.ts";
import type { ChainAnchor } from "../consensus/chain-anchor.ts";
import { quorumNumbers } from "../consensus/membership.ts";
import type { GeneratedAnchor, Operator } from "../consensus/result.ts";
import { equalBytes, fromHex, toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import { readJson } from "../core/json.ts";
import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import { generatedText } from "../sources/generated/kind.ts";
import { openGenerated } from "../sources/generated/open.ts";
import { attestedText } from "./attested.ts";
import { chainTie } from "./chain-tie.ts";
import { inputView } from "./diff/table-view.ts";
import type { AuditInput } from "./input-data.ts";

/** One thing that a receipt shows of its completeness: about which input, task or output, and what. */
export interface Shown {
  readonly about: string;
  /** `coverage`, `content`, `hashes`, `anchor`, `headers`, `ancestry`, `rows`, `work`, `links`. */
  readonly what: string;
  readonly message: string;
}

/** What follows from hashes alone, what rests on the word of those who voted, and what nothing in the receipt shows. */
export interface Completeness {
  readonly proved: readonly Shown[];
  readonly attested: readonly Shown[];
  readonly open: readonly Shown[];
}

/**
 * Separates what a verified receipt proves of its completeness from what its quorum attests. Where the receipt does not have the headers
 * of Ethereum's blocks they are computed anew, from the data folder or the input. Throws `NEEDS_DATA` (kind `unreachable`) where a block is not at hand, and
 * `CHAIN_MISMATCH` where a header does not hash to what it should, or has another parent. Generated rows it generates anew, and throws
 * `INPUT_DIFFERS` where they are others.
 */
export async function completenessOf(receipt: Receipt, input: AuditInput, signal: AbortSignal): Promise<Completeness> {
  const proved: Shown[] = [];
  const attested: Shown[] = [];
  const open: Shown[] = [];
  for (const [name, { rows }] of Object.entries(receipt.seal.statement.inputs)) {
    const about = `inputs/${name}`;
    const anchor = receipt.anchors.get(name);
    proved.push({
      about,
      what: "coverage",
      message: `the seal covers ${rows === 0 ? "no rows" : `rows 0 to ${rows - 1}`} of ${name} once, without a gap`,
    });
    if (anchor === undefined) continue;
    if (anchor.kind === "file") {
      const message = `${name} is the file with SHA-256 ${toHex(anchor.sha256)}`;
      proved.push({ about, what: "content", message });
      attested.push({ about, what: "content", message: `the ${rows} rows of ${name} are all that this file has` });
      continue;
    }
    if (anchor.kind === "generated") {
      proved.push(await generated(receipt, name, anchor, signal));
      continue;
    }
    proved.push(...chainHashes(receipt, name, anchor));
    if (anchor.kind === "ethereum") {
      // Those that the receipt has were checked with it.
      if (receipt.root.headers?.[name] === undefined) await checkBlocks(receipt, input, name, anchor, signal);
      const message = `the header of every block of ${name} hashes to its hash, and names the block before it as its parent`;
      proved.push({ about, what: "headers", message });
    }
    const tie = chainTie(name, anchor, receipt.config.anchored?.[name]);
    if (tie.proved !== undefined) proved.push({ about, what: "ancestry", message: tie.proved });
    if (tie.open !== undefined) open.push({ about, what: "anchor", message: tie.open });
    if (anchor.kind !== "ethereum") {
      if (["links", "full"].includes(levelOf(receipt, name) ?? ""))
        attested.push({ about, what: "links", message: `each block of ${name} is the parent of the next` });
      const more = attestedText(anchor.kind);
      if (more !== undefined) attested.push({ about, what: "content", message: more });
    }
  }
  for (const [name, { rows, root }] of Object.entries(receipt.seal.statement.outputs)) {
    const message = `${name} has ${rows} rows, all of them under the row root ${toHex(root)}`;
    proved.push({ about: `outputs/${name}`, what: "rows", message });
  }
  attested.push(...work(receipt));
  return { proved, attested, open };
}

/** Generates the rows of an input anew: they are those that the slots name, and no others. */
async function generated(receipt: Receipt, name: string, anchor: GeneratedAnchor, signal: AbortSignal): Promise<Shown> {
  const named = (inputView(receipt, name)?.parts ?? []).flatMap(({ batches }) => batches);
  await using source = openGenerated(anchor, { signal });
  let at = 0;
  for await (const { bytes } of source.batches({ batchRows: receipt.config.cut, signal }))
    if (named[at++]?.equals(rawBlock(sha256, bytes).cid) !== true) throw otherRows(name, at - 1);
  if (at !== named.length) throw otherRows(name, at);
  const message = `the ${source.rows ?? 0} rows of ${name} are the ${generatedText(anchor)}: each was generated again`;
  return { about: `inputs/${name}`, what: "content", message };
}

function otherRows(name: string, batch: number): IpdmError {
  return new IpdmError("INPUT_DIFFERS", `batch ${batch} of input ${name} is not the one that its generator gives`, {
    kind: "verification",
    where: `inputs/${name}`,
  });
}

function* chainHashes(receipt: Receipt, name: string, anchor: ChainAnchor): Generator<Shown> {
  const about = `inputs/${name}`;
  const { from, to, blocks, kind } = anchor;
  const range = blocks === 1 ? `block ${from}` : `${blocks ?? 0} blocks ${from} to ${to ?? from}`;
  const whole = kind === "ethereum" && blocks === (to ?? from) - from + 1 ? ", none missing" : "";
  yield { about, what: "hashes", message: `${name} is the ${range}${whole}, by hash` };
  const known = receipt.config.anchored?.[name];
  if (known === undefined) return;
  const source = known.by === "given" ? "given as trusted" : `the same at ${known.endpoints} endpoints`;
  const hash = kind === "solana" ? base58btc.baseEncode(known.hash) : `0x${toHex(known.hash)}`;
  const message = `block ${known.block} has the hash ${hash}, which was ${source}`;
  yield { about, what: "anchor", message };
}

/** Computes every header of a chain input anew from its blocks: its hash is the one listed, its parent the block before. */
async function checkBlocks(
  receipt: Receipt,
  input: AuditInput,
  name: string,
  anchor: ChainAnchor,
  signal: AbortSignal,
): Promise<void> {
  const hashes = blockHashes(anchor, receipt.blocks);
  const known = receipt.config.anchored?.[name];
  let row = 0;
  // The trusted block may be the parent of the first.
  let parent = known !== undefined && known.block === anchor.from - 1 ? known.hash : undefined;
  const { cut } = receipt.config;
  for await (const batch of input.blocksGiven(name, 0, cut, signal) ?? recordedBlocks(receipt, input, name, signal)) {
    for (let i = 0; i < batch.rows; i++, row++) {
      const header = headerOf(String(valueAt(batch.column("block"), i)), name, anchor.from + row);
      const hash = hashes[row];
      if (hash === undefined || !equalBytes(header.hash, hash))
        throw mismatch(name, `block ${anchor.from + row} does not hash to what the receipt names`);
      if (parent !== undefined && !equalBytes(header.parent, parent))
        throw mismatch(name, `block ${anchor.from + row} is no child of the block before it`);
      parent = hash;
    }
  }
  if (row !== hashes.length) throw mismatch(name, `there are ${row} of its ${hashes.length} blocks`);
}

async function* recordedBlocks(
  receipt: Receipt,
  input: AuditInput,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  let row = 0;
  for (const part of inputView(receipt, name)?.parts ?? [])
    for (const cid of part.batches) {
      signal.throwIfAborted();
      const batch = await input.batchAt(name, cid, row, receipt.config.cut, signal);
      row += batch.rows;
      yield batch;
    }
}

function headerOf(
  text: string,
  name: string,
  number: number,
): { readonly hash: Uint8Array; readonly parent: Uint8Array } {
  const parsed = headerSchema.safeParse(readJson(text));
  if (!parsed.success) throw mismatch(name, `block ${number} has another form than JSON-RPC's`);
  const parent = fromHex(parsed.data.parentHash.slice(2)) ?? new Uint8Array(0);
  return { hash: keccak_256(encodeHeader(parsed.data)), parent };
}

/** What voters say that they did: all of it, or a drawn share. */
function* work({ tasks, stages, membership, result }: Receipt): Generator<Shown> {
  const { n, q } = quorumNumbers(membership);
  const { policy } = membership;
  const share = policy.verify === "sample" ? `, of which a drawn ${policy.share / 10_000} % was executed again` : "";
  for (const { task, commits } of tasks) {
    const operator = stages.get(task)?.operator;
    const level = verifyLevel(operator);
    const how = operator?.kind === "module" ? `module ${operator.module.toString()}` : (operator?.kind ?? "task");
    const rows = commits.reduce((sum, { slot }) => sum + slot.input.rows, 0);
    const from = result.tasks[task]?.input.name ?? "";
    const made = `${how} read all ${rows} rows of ${from}${level === undefined ? "" : ` at level ${level}`} and left nothing out`;
    yield {
      about: `tasks/${task}`,
      what: "work",
      message: `${made}: the word of at least ${q} of ${n} members${share}`,
    };
  }
}

/** How much of a chain's blocks the task that reads them recomputed. */
function levelOf({ tasks, stages }: Receipt, input: string): string | undefined {
  const reader = tasks.find((task) => task.input.from === "source" && task.input.name === input);
  return reader === undefined ? undefined : verifyLevel(stages.get(reader.task)?.operator);
}

function verifyLevel(operator: Operator | undefined): string | undefined {
  const settings = operator?.kind === "module" ? (operator.settings ?? []) : [];
  return settings.find((setting) => setting.name === "verify")?.value;
}

function mismatch(input: string, message: string): IpdmError {
  return new IpdmError("CHAIN_MISMATCH", `${input}: ${message}`, { kind: "verification", where: `inputs/${input}` });
}
