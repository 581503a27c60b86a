import { inclusionProof, leafHash, merkleRoot } from "../../../proofs/merkle/tree.ts";
import type { Receipt, ShownCommit } from "../../../proofs/receipt/contents.ts";
import type { PlacedLeaf } from "../../../proofs/row/row-file.ts";
import { schemaOfOutput } from "../../../proofs/row/row-values.ts";
import { decodeBatch } from "../../batch/batch.ts";
import { RowEncoder } from "../../batch/rows.ts";
import { findField } from "../../batch/schema.ts";
import { equalBytes } from "../../core/bytes.ts";
import { IpdmError } from "../../core/errors.ts";
import { sha256 } from "../../node.ts";
import { needsBatch } from "../data-folder.ts";
import type { AuditInput } from "../input-data.ts";
import { rowMatcher, type Wanted } from "./row-filter.ts";

/** Leaves that are kept together: of a group without the wanted row only its root is kept. A power of two, so that paths go through roots. */
const GROUP = 4096;

/**
 * Finds the one row of an output table that holds what is wanted, and the path from it to the table's root: the batches of each table
 * that has the columns are read once. `output` names the table where several have such a row. Throws `NEEDS_DATA` (kind `unreachable`)
 * with the CID of a batch that is not at hand, `ROW_MISSING` (kind `verification`: there is no such row), `MERKLE_MISMATCH`, and of
 * kind `usage` `ROW_AMBIGUOUS`, `OUTPUT_UNKNOWN` and what {@link rowMatcher} throws.
 */
export async function findRow(
  receipt: Receipt,
  input: AuditInput,
  wanted: readonly Wanted[],
  output: string | undefined,
  signal: AbortSignal,
): Promise<PlacedLeaf> {
  const names = output === undefined ? outputsWith(receipt, wanted) : [known(receipt, output)];
  const leaves: PlacedLeaf[] = [];
  let rows = 0;
  for (const name of names) {
    const found = await search(receipt, input, wanted, name, signal);
    rows += found.rows;
    if (found.leaf !== undefined) leaves.push(found.leaf);
  }
  const [first, ...others] = leaves;
  if (first === undefined) throw missingRow(names, rows);
  if (others.length === 0) return first;
  throw new IpdmError("OUTPUT_UNKNOWN", "more than one output has such a row", {
    kind: "usage",
    hint: `name one with --output: ${leaves.map((leaf) => leaf.output).join(", ")}`,
  });
}

/** Searches one table; `leaf` is undefined where no row fits, `rows` is how many it has. */
async function search(
  receipt: Receipt,
  input: AuditInput,
  wanted: readonly Wanted[],
  name: string,
  signal: AbortSignal,
): Promise<{ readonly leaf: PlacedLeaf | undefined; readonly rows: number }> {
  const table = receipt.result.outputs[name] as Output;
  const matches = rowMatcher(schemaOfOutput(table), wanted);
  const commits = receipt.tasks.find(({ task }) => task === table.task)?.commits ?? [];
  const tree = new GroupedTree();
  const encoder = new RowEncoder();
  const found: { row: number; values: Uint8Array }[] = [];
  for (const cid of batchesOf(commits, table.port)) {
    signal.throwIfAborted();
    const bytes = await input.recorded(cid);
    if (bytes === undefined) throw needsBatch(cid, `rows of table ${name}`, input.data);
    const batch = decodeBatch(bytes);
    for (let row = 0; row < batch.rows; row++) {
      const values = encoder.encode(batch, row);
      const isMatch = matches(batch, row);
      if (isMatch) found.push({ row: tree.count, values: values.slice() });
      tree.add(leafHash(sha256, values), isMatch && found.length === 1);
    }
  }
  const [first, second] = found;
  if (first === undefined) return { leaf: undefined, rows: tree.count };
  if (second !== undefined) throw ambiguous(name, found.length, first.row, second.row);
  const { root, path } = tree.finish(first.row);
  if (!equalBytes(root, table.root))
    throw new IpdmError("MERKLE_MISMATCH", `the rows in the data folder are not those of table ${name}`, {
      kind: "verification",
      where: `outputs/${name}`,
    });
  return { leaf: { output: name, row: first.row, values: first.values, path }, rows: tree.count };
}

type Output = Receipt["result"]["outputs"][string];

function* batchesOf(commits: readonly ShownCommit[], port: string) {
  for (const { statement } of commits) yield* statement.outputs[port]?.batches ?? [];
}

/** The outputs that have all columns asked for; of those that are one table, the first. */
function outputsWith({ result }: Receipt, wanted: readonly Wanted[]): string[] {
  const tables = new Map<string, string>();
  for (const [name, output] of Object.entries(result.outputs)) {
    const schema = schemaOfOutput(output);
    if (!wanted.every(({ column }) => findField(schema, column) !== undefined)) continue;
    const key = `${output.task}/${output.port}`;
    if (!tables.has(key)) tables.set(key, name);
  }
  const names = Object.keys(result.outputs);
  if (tables.size > 0) return [...tables.values()];
  // Of a single output the error about the missing column says more.
  if (names.length === 1) return names;
  throw new IpdmError("OUTPUT_UNKNOWN", `no output has the columns ${wanted.map(({ column }) => column).join(", ")}`, {
    kind: "usage",
    hint: `outputs: ${names.join(", ")}`,
  });
}

function known({ result }: Receipt, name: string): string {
  const names = Object.keys(result.outputs);
  if (names.includes(name)) return name;
  throw new IpdmError("OUTPUT_UNKNOWN", `the receipt has no output ${name}`, {
    kind: "usage",
    hint: `its outputs: ${names.join(", ")}`,
  });
}

/** A table's tree while it grows: roots of groups, and the leaves of the group with the row whose path is wanted. */
class GroupedTree {
  count = 0;
  private readonly roots: Uint8Array[] = [];
  private group: Uint8Array[] = [];
  private isWanted = false;
  private kept: readonly Uint8Array[] = [];

  add(leaf: Uint8Array, isWanted: boolean): void {
    this.group.push(leaf);
    this.isWanted ||= isWanted;
    this.count++;
    if (this.group.length === GROUP) this.close();
  }

  finish(row: number): { readonly root: Uint8Array; readonly path: Uint8Array[] } {
    if (this.group.length > 0) this.close();
    const path = inclusionProof(sha256, this.kept, row % GROUP);
    return {
      root: merkleRoot(sha256, this.roots),
      path: [...path, ...inclusionProof(sha256, this.roots, Math.floor(row / GROUP))],
    };
  }

  private close(): void {
    this.roots.push(merkleRoot(sha256, this.group));
    if (this.isWanted) this.kept = this.group;
    this.group = [];
    this.isWanted = false;
  }
}

function missingRow(names: readonly string[], rows: number): IpdmError {
  return new IpdmError("ROW_MISSING", `none of the ${rows} rows of ${names.join(", ")} holds that`, {
    kind: "verification",
    where: `outputs/${names[0] ?? ""}`,
    hint: "the data folder has every row that the receipt counts",
  });
}

function ambiguous(name: string, count: number, first: number, second: number): IpdmError {
  return new IpdmError(
    "ROW_AMBIGUOUS",
    `${count} rows of table ${name} hold that: ${first}, ${second}${count > 2 ? ", …" : ""}`,
    {
      kind: "usage",
      where: `outputs/${name}`,
      hint: "say more of its columns",
    },
  );
}
