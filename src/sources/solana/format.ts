import { base58btc } from "multiformats/bases/base58";
import { schemaOf } from "../../batch/schema.ts";
import type { BatchWriter } from "../../batch/writer.ts";
import {
  elementsOf,
  isText,
  type KnownEnds,
  type Member,
  membersOf,
  plainText,
  type Slice,
} from "../chain/json-scan.ts";
import type { BlockHead, BlockPart, ChainFormat } from "../chain/kind.ts";

const OPEN_OBJECT = 0x7b;
const OPEN_LIST = 0x5b;
/** Replies and blocks of one list. */
const LIST_MAX = 65_536;
/** How deep replies, lists and pairs may lie inside each other. */
const DEPTH_MAX = 4;
const HASH_BYTES = 32;
/** Codes of errors that say that a slot was skipped (agave `rpc-client-api/src/custom_error.rs`): such a reply is none of a block. */
const SKIPPED_CODES: readonly string[] = ["-32007", "-32009"];

const SCHEMA = schemaOf([
  { name: "slot", type: "u64", nullable: false },
  { name: "blockhash", type: "utf8", nullable: false },
  { name: "parent", type: "utf8", nullable: false },
  { name: "parent_slot", type: "u64", nullable: false },
  { name: "block", type: "utf8", nullable: false },
]);

/**
 * Blocks of Solana as `getBlock` of JSON-RPC gives them: the block by itself, inside the reply (`{jsonrpc, id, result}`), as
 * `{slot, block}`, or in lists of these. The reply does not say the slot of its block: it is that of `{slot, block}`, or the one number in the
 * file's name. A block that is not there because its slot was skipped is told from one that is missing by the slot that the next one
 * names as its parent's.
 */
export const SOLANA: ChainFormat = {
  kind: "solana",
  schema: SCHEMA,
  texts: ["block"],
  scan: (bytes, value, file, known) => new Scan(bytes, slotOfName(file), known).value(value, undefined, 0),
  // A block says nothing of its cluster.
  chainOf: () => undefined,
  gap: (before, after) => (after.parentNumber > before.number ? { missing: after.parentNumber } : undefined),
  pushHead(writer: BatchWriter, head: BlockHead, parent: string, parentNumber: number): void {
    writer.at(0).push(BigInt(head.number));
    writer.at(1).push(head.hash);
    writer.at(2).push(parent);
    writer.at(3).push(BigInt(parentNumber));
  },
  hashBytes,
  hashText: (bytes) => base58btc.baseEncode(bytes),
};

class Scan {
  private readonly bytes: Uint8Array;
  private readonly named: number | undefined;
  private readonly known: KnownEnds | undefined;

  constructor(bytes: Uint8Array, named: number | undefined, known: KnownEnds | undefined) {
    this.bytes = bytes;
    this.named = named;
    this.known = known;
  }

  value(value: Slice, slot: number | undefined, depth: number): readonly BlockPart[] | string {
    if (depth > DEPTH_MAX) return "its lists and replies lie too deep inside each other";
    const first = this.bytes[value.from];
    if (first === OPEN_LIST) return this.list(value, depth);
    if (first !== OPEN_OBJECT) return "it is neither an object nor a list";
    const members = membersOf(this.bytes, value.from, value.to, this.known);
    if (members === undefined) return "it is not JSON";
    const twice = [...NAMES].find((name) => this.all(members, name).length > 1);
    if (twice !== undefined) return `${twice} stands in it twice`;
    const [result, block, own, error] = ["result", "block", "slot", "error"].map((name) => this.all(members, name)[0]);
    const said = own === undefined ? slot : this.number(own);
    if (own !== undefined && said === undefined) return "its slot is no whole number below 2^53";
    const inner = result ?? block;
    if (inner === undefined) return error === undefined ? this.block(value, members, said) : this.refusal(error);
    if (isText(this.bytes, inner, "null")) return "the reply is empty: the endpoint has no such block";
    return this.value(inner, said, depth + 1);
  }

  private list(value: Slice, depth: number): readonly BlockPart[] | string {
    const elements = elementsOf(this.bytes, value.from, value.to, LIST_MAX);
    if (elements === undefined) return "it is not JSON";
    const parts: BlockPart[] = [];
    for (const element of elements) {
      const found = this.value(element, undefined, depth + 1);
      if (typeof found === "string") return found;
      parts.push(...found);
    }
    return parts;
  }

  private block(value: Slice, members: readonly Member[], said: number | undefined): readonly BlockPart[] | string {
    const text = (name: string): string | undefined => {
      const [slice] = this.all(members, name);
      return slice === undefined ? undefined : plainText(this.bytes, slice);
    };
    const hash = text("blockhash");
    const parent = text("previousBlockhash");
    const [parentSlot] = this.all(members, "parentSlot");
    const parentNumber = parentSlot === undefined ? undefined : this.number(parentSlot);
    const number = said ?? this.named;
    if (hash === undefined || hashBytes(hash) === undefined) return "its blockhash is not 32 bytes in Base58";
    if (parent === undefined || hashBytes(parent) === undefined)
      return "its previousBlockhash is not 32 bytes in Base58";
    if (parentNumber === undefined) return "its parentSlot is no whole number below 2^53";
    if (number === undefined)
      return 'nothing says its slot: write {"slot": 332254855, "block": …}, or name the file by it, such as 332254855.json';
    if (number <= parentNumber && number !== 0)
      return `its slot, ${number}, is not after its parentSlot, ${parentNumber}`;
    return [{ head: { number, hash, parent, parentNumber }, of: undefined, texts: [value] }];
  }

  private refusal(error: Slice): readonly BlockPart[] | string {
    const members = this.bytes[error.from] === OPEN_OBJECT ? membersOf(this.bytes, error.from, error.to) : undefined;
    const [code] = this.all(members ?? [], "code");
    const isSkipped = code !== undefined && SKIPPED_CODES.some((skipped) => isText(this.bytes, code, skipped));
    return isSkipped ? [] : "it is the error of an endpoint, not a block";
  }

  private all(members: readonly Member[], name: string): readonly Slice[] {
    return members.filter((member) => isText(this.bytes, member.name, name)).map(({ value }) => value);
  }

  private number({ from, to }: Slice): number | undefined {
    const text = String.fromCharCode(...this.bytes.subarray(from, Math.min(to, from + 20)));
    return /^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
  }
}

/** Members whose place in a block, a pair or a reply is looked at. */
const NAMES: ReadonlySet<string> = new Set([
  "result",
  "block",
  "slot",
  "error",
  "blockhash",
  "previousBlockhash",
  "parentSlot",
]);

/** The number in a file's name, if there is exactly one. */
function slotOfName(file: string): number | undefined {
  const numbers = file.match(/\d+/g) ?? [];
  const [only] = numbers;
  return only !== undefined && numbers.length === 1 && Number.isSafeInteger(Number(only)) ? Number(only) : undefined;
}

function hashBytes(text: string): Uint8Array | undefined {
  if (text.length < HASH_BYTES || text.length > 44) return undefined;
  try {
    const bytes = base58btc.baseDecode(text);
    return bytes.length === HASH_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}
