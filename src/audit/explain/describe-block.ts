import { CID } from "multiformats/cid";
import { decodeBatch } from "../../batch/batch.ts";
import { equalBytes, toHex, utf8 } from "../../core/bytes.ts";
import { type Block, CODEC, decodeBlock } from "../../dag/block.ts";

/** What a block is, for people: in words, its top-level fields as text, and every link in it by its place. */
export interface BlockDescription {
  readonly what: string;
  readonly fields: readonly (readonly [name: string, text: string])[];
  readonly links: readonly (readonly [place: string, cid: string])[];
}

type Node = Readonly<Record<string, unknown>>;

/** Most characters of a field's text, and most links that are listed. */
const TEXT_MAX = 100;
const LINKS_MAX = 1000;

const BATCH_MAGIC = utf8("IPDB");
const WASM_MAGIC = Uint8Array.of(0, 0x61, 0x73, 0x6d);

/** Says what a block is, by its form alone. Never throws: what does not decode is said to be bytes. */
export function describeBlock(block: Block): BlockDescription {
  if (block.cid.code === CODEC.raw) return rawDescription(block.bytes);
  let node: unknown;
  try {
    node = decodeBlock(block);
  } catch {
    return { what: "bytes that are not what the CID's codec says", fields: [], links: [] };
  }
  const links: [string, string][] = [];
  collect(node, "", links);
  const entries = isNode(node) ? Object.entries(node) : [["value", node] as const];
  return {
    what: isNode(node) ? kindOf(node) : "an IPLD value",
    fields: entries.map(([name, value]) => [name, shortText(value)] as const),
    links,
  };
}

function rawDescription(bytes: Uint8Array): BlockDescription {
  const begins = (magic: Uint8Array): boolean => equalBytes(bytes.subarray(0, 4), magic);
  const fields: [string, string][] = [["size", `${bytes.length} bytes`]];
  if (begins(WASM_MAGIC)) return { what: "a WebAssembly module", fields, links: [] };
  if (!begins(BATCH_MAGIC)) return { what: "bytes: a part of a state, or a file", fields, links: [] };
  try {
    const { rows, schema } = decodeBatch(bytes);
    const columns = schema.fields.map(({ name, type }) => `${name} ${type}`).join(", ");
    return { what: "a batch of rows", fields: [...fields, ["rows", String(rows)], ["columns", columns]], links: [] };
  } catch {
    return { what: "a damaged batch", fields, links: [] };
  }
}

/** Kinds that a node says itself. */
const SAID: Readonly<Record<string, string>> = {
  result: "a statement: what was computed for a slot",
  seal: "a seal: the last statement of a run",
  file: "an input's anchor: a file",
  generated: "an input's anchor: generated rows",
  ethereum: "an input's anchor: blocks of a chain",
  solana: "an input's anchor: blocks of a chain",
  "block-hashes": "block hashes of a chain input",
  window: "a proof of a window's row",
  task: "the key of a task's work",
  run: "the key of a run",
  row: "the root of a saved row",
};

/** Keys that a node of a kind has and others have not. */
const SHAPES: readonly (readonly [keys: readonly string[], what: (node: Node) => string])[] = [
  [["journals", "statements", "signature"], () => "the root of a receipt"],
  [["members", "quorum"], () => "a membership"],
  [["votes", "challenges"], () => "a certificate: a quorum's votes for a statement"],
  [
    ["stage", "seq", "submitter"],
    ({ task, seq }) => `a slot, ${String(task)}/${String(seq)}: a piece of work as its submitter signed it`,
  ],
  [
    ["actor", "seq", "events"],
    ({ actor, seq }) => `a journal's entry, of ${String(actor)} from event ${String(seq)} on`,
  ],
  [["actor", "seq", "machine"], ({ actor, seq }) => `a checkpoint of ${String(actor)} after event ${String(seq)}`],
  [["status", "value", "context"], () => "an actor's state"],
  [["upstream", "operator"], ({ task }) => `a stage: task ${String(task)} and the way back to its inputs`],
  [["rowsIn", "outputs"], () => "a task's state between two slots"],
  [["inputs", "tasks", "outputs"], () => "a result: what was computed, without how, when or by whom"],
  [["cut", "prove"], () => "the configuration of a run"],
  [["publisher", "version"], ({ name, version }) => `a module's entry, ${String(name)}@${String(version)}`],
  [["slot", "statement", "certificate"], () => "a record of certified work, linked to the one before"],
];

function kindOf(node: Node): string {
  const { kind } = node;
  const said = typeof kind === "string" && Object.hasOwn(SAID, kind) ? SAID[kind] : undefined;
  if (said !== undefined) return said;
  const shape = SHAPES.find(([keys]) => keys.every((key) => Object.hasOwn(node, key)));
  return shape?.[1](node) ?? "an IPLD node";
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

function shortText(value: unknown): string {
  const cid = CID.asCID(value);
  if (cid !== null) return cid.toString();
  const text = typeof value === "string" ? value : (JSON.stringify(plain(value)) ?? "");
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

/** A value as JSON can say it: links as texts, bytes in hexadecimal, large integers in digits. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return `0x${toHex(value.subarray(0, 64))}${value.length > 64 ? "…" : ""}`;
  const cid = CID.asCID(value);
  if (cid !== null) return cid.toString();
  if (Array.isArray(value)) return value.slice(0, TEXT_MAX).map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function collect(value: unknown, place: string, links: [string, string][]): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || links.length >= LINKS_MAX) return;
  const cid = CID.asCID(value);
  if (cid !== null) {
    links.push([place, cid.toString()]);
  } else {
    for (const [key, item] of Object.entries(value)) collect(item, place === "" ? key : `${place}.${key}`, links);
  }
}
