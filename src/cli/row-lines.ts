import type { ShownReceipt } from "../../proofs/ethereum/row-proof.ts";
import { ROW_CHECKS, type RowCheckName, type RowVerdict, type ShownRow } from "../../proofs/row/verify-row.ts";
import { ndjsonRow } from "../batch/text/row-text.ts";
import { toHex } from "../core/bytes.ts";
import { counted, number, words } from "./counted.ts";

/** A row as `--json` tells of it. */
export function rowFields(
  { output, row, rows, root, path, values }: ShownRow,
  chain: ShownReceipt | undefined,
): object {
  const own = { output, row, rows, root: toHex(root), path: path.map(toHex), values: ndjsonRow(values, 0) };
  return { ...own, chain: chain === undefined ? null : chainFields(chain) };
}

function chainFields({
  input,
  number,
  blockHash,
  transactionHash,
  index,
  log,
  nodes,
  proved,
  attested,
}: ShownReceipt): object {
  const hashes = { block: Number(number), blockHash: hashText(blockHash), transaction: hashText(transactionHash) };
  return { input, ...hashes, index, log, nodes, proved, attested };
}

function hashText(hash: Uint8Array): string {
  return `0x${toHex(hash)}`;
}

/** The verdict over a row's file as one line of `--json`. */
export function rowLine({
  ok,
  trust,
  checks,
  fault,
  result,
  members,
  quorum,
  policy,
  shown,
  chain,
}: RowVerdict): object {
  const said = fault === undefined ? {} : { code: fault.code, where: fault.where, message: fault.message };
  return {
    event: "verified",
    ok,
    trust,
    quorum: quorum ?? null,
    checks,
    ...said,
    result: result?.toString() ?? null,
    policy: policy ?? null,
    members: members?.map(toHex) ?? null,
    row: shown === undefined ? null : rowFields(shown, chain),
  };
}

/** A row, its table, and the way from the one to the root of the other. */
export function* rowLines(shown: ShownRow, chain: ShownReceipt | undefined): Generator<string> {
  const { output, row, rows, root, path, values } = shown;
  yield `row ${number(row)} of the ${counted(rows, "row")} of table ${output}`;
  yield `  ${ndjsonRow(values, 0)}`;
  yield `  path        ${counted(path.length, "hash", "hashes")} from the row to the row root ${toHex(root)}`;
  for (const hash of path) yield `              ${toHex(hash)}`;
  if (chain === undefined) return;
  const { input, number: block, blockHash, transactionHash, index, log, nodes, proved, attested } = chain;
  yield `  block       ${block} of ${input}, ${hashText(blockHash)}: one of the hashes that the input is`;
  yield `  receipt     number ${index} of that block, of transaction ${hashText(transactionHash)}, by ${counted(nodes, "node")} of its trie`;
  if (log !== null) yield `  log         number ${log} of that receipt`;
  yield `  proved      ${proved.join(", ")}: they are what the block's hash commits to`;
  if (attested.length > 0) yield `  attested    ${attested.join(", ")}: the quorum's word`;
}

const SHOWN: Readonly<Record<RowCheckName, (count: number) => string>> = {
  blocks: (count) => `${count} blocks hash to their names, in canonical form, none twice`,
  signatures: (count) => `${count} Ed25519 ${words(count, "signature")} over the seal`,
  seal: () => "the seal names the result, and the result the table's rows and root",
  row: (count) => `the row is in the table, by ${counted(count, "hash", "hashes")}`,
  chain: (count) => `the receipt is in the block, by ${counted(count, "node")} of a Merkle-Patricia trie`,
};

/** The verdict over a row's file in words. */
export function* rowVerdictLines(verdict: RowVerdict): Generator<string> {
  const { checks, fault, members, quorum, trust, result, shown, chain } = verdict;
  let hasFailed = false;
  for (const name of ROW_CHECKS) {
    const { ok, count } = checks[name];
    if (name === "chain" && ok && count === 0) continue;
    if (ok) yield `✓ ${name.padEnd(11)} ${SHOWN[name](count)}`;
    else yield hasFailed ? `– ${name.padEnd(11)} not reached` : `✗ ${name.padEnd(11)} not passed, see below`;
    hasFailed ||= !ok;
  }
  if (quorum !== undefined && members !== undefined)
    yield `  signers     ${counted(members.length, "key")}, ${quorum.q} of them make a quorum: ${members.map((key) => `${toHex(key).slice(0, 16)}…`).join(", ")}`;
  if (result !== undefined) yield `  result      ${result.toString()}`;
  yield "";
  if (shown !== undefined) {
    yield* rowLines(shown, chain);
    yield "";
  }
  if (fault !== undefined) {
    yield `NOT VERIFIED: ${fault.code} at ${fault.where}: ${fault.message}`;
    return;
  }
  yield trust === "trusted"
    ? "VERIFIED against the keys you trust: a quorum of them sealed a table with this row at this place."
    : "VERIFIED as self-asserted: a quorum of these keys sealed a table with this row at this place; whose keys they are, --trust tells.";
}
