import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseEthereumRowProof } from "../../../proofs/ethereum/row-proof.ts";
import { inCidOrder } from "../../../proofs/receipt/build.ts";
import { verifyRow } from "../../../proofs/row/verify-row.ts";
import { fromHex } from "../../../src/core/bytes.ts";
import { type Block, cborBlock, decodeBlock, jsonBlock } from "../../../src/dag/block.ts";
import { encodeCar, readCar } from "../../../src/dag/car.ts";
import { sha256, signerOf, verifyEd25519 } from "../../../src/node.ts";
import { runConfig } from "../../../src/run/run.ts";
import { ROOT } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { say } from "../../support/say.ts";
import { Forgery } from "../proofs/receipt/receipt-forger.ts";

const DATA = fileURLToPath(new URL("../../../../shared/data/ethereum-mainnet/", import.meta.url));
const present = existsSync(DATA);
if (!present) console.warn("skipped: the blocks of Ethereum are not at ../shared/data/ethereum-mainnet");
const BLOCKS = [17_686_117, 17_686_118];

let folder: TestFolder;
let receipt: string;
let blocks: string;

beforeAll(async () => {
  folder = await makeTestFolder("chain-row");
  if (!present) return;
  blocks = folder.fresh("blocks");
  await mkdir(blocks);
  for (const block of BLOCKS) await copyFile(join(DATA, `${block}.json.gz`), join(blocks, `${block}.json.gz`));
  const configPath = join(ROOT, "examples", "ethereum-erc20", "ipdm.yaml");
  ({ receipt } = await runConfig({ configPath, outDir: folder.fresh("out"), inputs: { blocks } }));
}, 60_000);
afterAll(() => folder.remove());

/** The saved row's file with another proof of the chain. */
function withProof(bytes: Uint8Array, change: (proof: Record<string, unknown>) => Record<string, unknown>): Uint8Array {
  const { root, blocks: all } = readCar(sha256, bytes);
  const node = decodeBlock(all.get(root.toString()) as Block) as Record<string, unknown>;
  const old = String(node["chain"]);
  const proof = cborBlock(sha256, change({ ...(decodeBlock(all.get(old) as Block) as object) }));
  const other = jsonBlock(sha256, { ...node, chain: proof.cid });
  const rest = [...all.values()].filter(({ cid }) => !cid.equals(root) && cid.toString() !== old);
  return encodeCar(other.cid, [other, ...inCidOrder([...rest, proof])]);
}

describe.runIf(present)("a row of Ethereum", () => {
  const TX = "0x9496337ffe3cd08d37702f7a0821c5dc74027b7c462c0e0275368462c77ff2fe";

  it("is shown down to its block's hash, by a file that verifies by itself", async () => {
    const saved = join(folder.path, "row.car");
    const asked = ["verify", receipt, "--row", `tx=${TX},logIndex=305`, "--out", saved, "--json"];
    const said = await say(...asked);
    const chain = {
      ...{ input: "blocks", block: 17_686_117, transaction: TX, index: 141, log: 1, attested: ["logIndex"] },
      blockHash: "0x46eb242c0fbf8bbfa36478470591e97c289b9109a850af1b1ca6ae9fceb86bb3",
      proved: ["block", "timestamp", "tx", "token", "from", "to", "value"],
    };
    expect(said).toMatchObject({ exit: 0, last: { ok: true, row: { output: "table", chain } } });
    const alone = await say("verify", saved, "--json");
    expect(alone).toMatchObject({ exit: 0, last: { checks: { chain: { ok: true } }, row: { chain } } });
    expect((await say("verify", saved)).text).toContain("the receipt is in the block");

    const bytes = new Uint8Array(await readFile(saved));
    const refused = (change: (proof: Record<string, unknown>) => Record<string, unknown>): unknown =>
      verifyRow({ hash: sha256, verify: verifyEd25519 }, withProof(bytes, change)).fault?.code;
    expect(refused((proof) => proof)).toBeUndefined();
    const parsed = parseEthereumRowProof(decodeBlock(chainBlock(bytes)));
    const flipped = (one: Uint8Array): Uint8Array => one.with(40, (one[40] as number) ^ 1);
    for (const change of [
      { header: flipped(parsed.header) },
      { block: { ...parsed.block, index: 1 } },
      { index: 140 },
      { receipt: parsed.receipt.map(flipped) },
      { transaction: parsed.transaction.toReversed() },
      { log: 99 },
    ])
      expect(
        refused((proof) => ({ ...proof, ...change })),
        Object.keys(change).join(),
      ).toBe("ROW_CHAIN_MISMATCH");
    // Of another log of the same token nothing but that is proved: the verdict says so.
    const other = verifyRow(
      { hash: sha256, verify: verifyEd25519 },
      withProof(bytes, (proof) => ({ ...proof, log: 0 })),
    );
    expect(other.chain).toMatchObject({ proved: ["block", "timestamp", "tx", "token"] });
    expect(refused((proof) => ({ ...proof, input: "other" }))).toBe("RECEIPT_SHAPE");
    expect(refused((proof) => ({ ...proof, nonce: 1 }))).toBe("NODE_MALFORMED");
  });

  it("separates what its headers prove from what the quorum attests", async () => {
    const said = await say("verify", receipt, "--complete", "--json");
    const { proved, attested } = said.last["complete"] as Record<string, { what: string; message: string }[]>;
    expect(said.exit).toBe(0);
    expect(proved?.map(({ what }) => what)).toEqual(["coverage", "hashes", "headers", "rows", "rows", "rows"]);
    expect(proved?.[1]?.message).toContain("17686117 to 17686118, none missing");
    expect(attested?.map(({ what }) => what)).toEqual(["work", "work", "work"]);
    expect(attested?.[0]?.message).toContain("at level full");
    const alone = join(folder.path, "alone.car");
    await copyFile(receipt, alone);
    // The headers are in the receipt: a stranger needs nothing else.
    expect((await say("verify", alone, "--complete")).text).toContain("the header of every block of blocks hashes to");
    const bare = join(folder.path, "bare.car");
    await writeFile(bare, await withoutHeaders(receipt));
    expect(await say("verify", bare, "--complete", "--json")).toMatchObject({ exit: 4, last: { code: "NEEDS_DATA" } });
    const given = await say("verify", bare, "--complete", "--input", `blocks=${blocks}`);
    expect(given.text).toContain("the header of every block of blocks hashes to its hash");
  });

  it("tells blocks that are only written otherwise from others, when they are replayed", async () => {
    const place = folder.fresh("written");
    await mkdir(place);
    const replayed = async (change: (block: Record<string, unknown>) => void): Promise<string> => {
      const text = gunzipSync(await readFile(join(DATA, `${BLOCKS[0]}.json.gz`))).toString();
      const given = JSON.parse(text) as { block: Record<string, unknown> };
      change(given.block);
      await writeFile(join(place, "first.json"), JSON.stringify(given));
      await copyFile(join(DATA, `${BLOCKS[1]}.json.gz`), join(place, "second.json.gz"));
      return (await say("replay", receipt, "--input", `blocks=${place}`, "--isolation", "thread")).text;
    };
    const same = "only JSON that no hash commits to is written otherwise";
    expect(await replayed((block) => (block["totalDifficulty"] = "0x1"))).toContain(same);
    const ofRow = ["verify", receipt, "--row", `tx=${TX},logIndex=305`, "--input", `blocks=${place}`, "--json"];
    // A row of the block is shown from them as well: they are held to their hashes, however they are written.
    const shown = await say(...ofRow);
    expect(shown).toMatchObject({ exit: 0, last: { row: { chain: { block: BLOCKS[0], transaction: TX } } } });
    const other = await replayed((block) => (block["gasUsed"] = "0x1"));
    expect(other).toContain("INPUT_DIFFERS");
    expect(other).not.toContain(same);
    const refused = await say(...ofRow);
    expect(refused).toMatchObject({ exit: 5, last: { code: "ROW_CHAIN_MISMATCH" } });
  });

  it("takes the block from the input where the data folder does not have it, and never another one", async () => {
    const rows = (await readFile(join(receipt, "../transfers.csv"), "utf8")).trimEnd().split("\n").slice(1);
    for (const at of [0, rows.length >> 1, rows.length - 1]) {
      const [block, , tx = "", logIndex = ""] = (rows[at] as string).split(",");
      const said = await say(
        "verify",
        receipt,
        "--row",
        `tx=${tx},logIndex=${logIndex}`,
        "--input",
        `blocks=${blocks}`,
        "--json",
      );
      expect(said.last).toMatchObject({ row: { row: at, chain: { block: Number(block), transaction: tx } } });
    }
  });
});

/** The receipt as it would be for more blocks than it shows the headers of. */
async function withoutHeaders(path: string): Promise<Uint8Array> {
  const forgery = new Forgery(new Uint8Array(await readFile(path)));
  const { headers: _, ...rest } = forgery.root;
  forgery.root = rest;
  const seed = fromHex((await readFile(join(path, "../.data/alpha/key"), "utf8")).trim());
  return forgery.seal([signerOf(seed as Uint8Array)]);
}

function chainBlock(bytes: Uint8Array): Block {
  const { root, blocks: all } = readCar(sha256, bytes);
  const node = decodeBlock(all.get(root.toString()) as Block) as { readonly chain: unknown };
  return all.get(String(node.chain)) as Block;
}
