import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { chainFormat } from "../sources/chain/formats.ts";
import { CHAIN_KINDS, CHAIN_VERIFY, type ChainKind, ENDPOINT_MODES } from "../sources/chain/kind.ts";
import type { ChainSourceConfig, FileReference } from "./config.ts";
import { FINALITY_DEFAULT, FINALITY_MAX, PLACES_MAX } from "./limits.ts";
import type { ConfigPath, Finding } from "./problem.ts";
import { file } from "./schema-values.ts";

const place = z.union([file, z.array(file).min(1).max(PLACES_MAX)]);
const block = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const hash = z.string().min(32).max(66);

/** What the addresses of endpoints begin with. */
const URL_START = /^https?:\/\//i;

/** Keys of a source that is a chain. */
export const chainKeys = {
  ethereum: place
    .optional()
    .describe(
      "Blocks of Ethereum: a folder or file (.json, .ndjson, .jsonl, also with .gz or .zst), an http(s) address of a JSON-RPC endpoint, or a list of these.",
    ),
  solana: place.optional().describe("Blocks of Solana, as ethereum."),
  chain: z
    .union([z.string().min(1).max(64), z.int().min(0).max(Number.MAX_SAFE_INTEGER)])
    .optional()
    .describe("Name of the chain in receipts (Ethereum: its chain id); what endpoint or blocks say when left out."),
  verify: z
    .enum(CHAIN_VERIFY)
    .optional()
    .describe(
      "How much of a block is recomputed: nothing, its hash, also the link to its parent, or everything that the hash commits to (full, when left out).",
    ),
  senders: z
    .enum(["trust", "recover"])
    .optional()
    .describe(
      "Where the sender of a transaction comes from: as the block claims it (trust) or from its signature (recover); tables have none when left out.",
    ),
  range: z
    .strictObject({
      from: block.optional().describe("Number of the first block; required with an endpoint."),
      to: block
        .optional()
        .describe("Number of the last block; with an endpoint the run follows the head when it is left out."),
    })
    .optional()
    .describe("Blocks to read; all that the files hold when left out."),
  anchor: z
    .union([hash, z.strictObject({ block: block.describe("Number of the block."), hash: hash.describe("Its hash.") })])
    .optional()
    .describe(
      "A hash that you trust: of the first block's parent or of any block of the range, or of the block of that number.",
    ),
  endpoints: z
    .enum(ENDPOINT_MODES)
    .optional()
    .describe(
      "What several endpoints are for: to agree on every block hash (compare, when left out), or the fastest answers (race).",
    ),
  finality: z
    .int()
    .min(0)
    .max(FINALITY_MAX)
    .optional()
    .describe(
      `Blocks that must follow a block before it is final, when a run follows the head (${FINALITY_DEFAULT} when left out).`,
    ),
};

/** Keys that only chains have. */
export const KEYS_OF_CHAINS = ["chain", "verify", "senders", "range", "anchor", "endpoints", "finality"] as const;

/** A source as it is written, as far as this is about chains. */
export type WrittenChain = z.output<z.ZodObject<typeof chainKeys>> & {
  readonly file?: string | undefined;
  readonly format?: string | undefined;
  readonly columns?: unknown;
  readonly time?: unknown;
};

/** The kind of chain that a source is, if it is one. */
export function chainKindOf(source: WrittenChain): ChainKind | undefined {
  return CHAIN_KINDS.find((kind) => source[kind] !== undefined);
}

/** Checks what is written of a chain. */
export function checkChain(path: ConfigPath, kind: ChainKind, source: WrittenChain): Finding[] {
  const shown = path.join(".");
  const { range, anchor } = source;
  const places = listOf(source[kind]);
  const findings: Finding[] = [];
  const urls = places.filter((each) => URL_START.test(each));
  if (urls.length > 0 && urls.length < places.length)
    findings.push({
      path: [...path, kind],
      atKey: false,
      message: `${shown}.${kind} has both endpoints and files`,
      hint: "make two sources of it",
    });
  for (const [i, url] of urls.entries()) {
    if (URL.canParse(url)) continue;
    findings.push({
      path: Array.isArray(source[kind]) ? [...path, kind, i] : [...path, kind],
      atKey: false,
      message: `${shown}.${kind}: ${JSON.stringify(url.slice(0, 100))} is no address`,
    });
  }
  if (urls.length > 0 && range?.from === undefined)
    findings.push({
      path: [...path, "range"],
      atKey: true,
      message: `${shown}.range.from is missing: an endpoint has all blocks of its chain`,
      hint: "add range: { from: <first block>, to: <last block> }",
    });
  if (range?.from !== undefined && range.to !== undefined && range.to < range.from)
    findings.push({
      path: [...path, "range", "to"],
      atKey: false,
      message: `${shown}.range.to is ${range.to}, before range.from, ${range.from}`,
    });
  const hash = typeof anchor === "string" ? anchor : anchor?.hash;
  if (hash !== undefined && chainFormat(kind).hashBytes(hash) === undefined)
    findings.push({
      path: [...path, "anchor"],
      atKey: false,
      message: `${shown}.anchor: ${JSON.stringify(hash.slice(0, 100))} is no hash`,
      hint:
        kind === "ethereum"
          ? "write 0x and 64 hexadecimal digits, in quotes"
          : "write the blockhash, 32 bytes in Base58, in quotes",
    });
  if (kind === "solana") findings.push(...checkSolana(path, source));
  return findings;
}

/** What other chains have, and Solana does not. */
function checkSolana(path: ConfigPath, { verify, senders }: WrittenChain): Finding[] {
  const shown = path.join(".");
  const findings: Finding[] = [];
  if (verify === "hash")
    findings.push({
      path: [...path, "verify"],
      atKey: false,
      message: `${shown}.verify: a blockhash of Solana cannot be recomputed from its block`,
      hint: "write links (the parents), or full (also every signature)",
    });
  if (senders !== undefined)
    findings.push({
      path: [...path, "senders"],
      atKey: true,
      message: `${shown}.senders has no meaning with solana: a transaction names the keys that sign it`,
      hint: "remove it",
    });
  return findings;
}

/** The configuration of a chain source; `written` has passed `checkSource`. */
export function resolveChain(name: string, kind: ChainKind, source: WrittenChain, folder: string): ChainSourceConfig {
  const { chain, verify, senders, range, anchor, endpoints, finality } = source;
  return {
    kind,
    name,
    places: chainPlaces(listOf(source[kind]), folder),
    chain: chain === undefined ? null : String(chain),
    verify: verify ?? "full",
    senders: senders ?? "omit",
    from: range?.from ?? null,
    to: range?.to ?? null,
    anchor: anchor === undefined ? null : typeof anchor === "string" ? { block: null, hash: anchor } : anchor,
    endpoints: endpoints ?? "compare",
    finality: finality ?? FINALITY_DEFAULT,
  };
}

/** Places of blocks as they are written, and the absolute paths or addresses that they stand for. */
export function chainPlaces(places: readonly string[], folder: string): readonly FileReference[] {
  return places.map((written) => ({
    written,
    path: URL_START.test(written) || isAbsolute(written) ? written : resolve(folder, written),
  }));
}

/** True when a place is the address of an endpoint. */
export function isEndpoint({ path }: Pick<FileReference, "path">): boolean {
  return URL_START.test(path);
}

function listOf(place: string | readonly string[] | undefined): readonly string[] {
  return place === undefined ? [] : typeof place === "string" ? [place] : place;
}
