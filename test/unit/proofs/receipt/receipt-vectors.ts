import * as dagCbor from "@ipld/dag-cbor";
import { contextOf } from "../../../../proofs/groth16/window-context.ts";
import { leafHash, merkleRoot } from "../../../../proofs/merkle/tree.ts";
import { signRoot } from "../../../../proofs/receipt/root.ts";
import { windowKeyBytes } from "../../../../proofs/window/row-proof.ts";
import { RowEncoder } from "../../../../src/batch/rows.ts";
import { schemaOf } from "../../../../src/batch/schema.ts";
import { BatchWriter } from "../../../../src/batch/writer.ts";
import type { ChainAnchor } from "../../../../src/consensus/chain-anchor.ts";
import { drawRows, drawSeed, mustExecute } from "../../../../src/consensus/draw.ts";
import { signChallenge, signVote } from "../../../../src/consensus/vote.ts";
import { runKey, taskKey } from "../../../../src/consensus/work-key.ts";
import { compareBytes, toHex, utf8 } from "../../../../src/core/bytes.ts";
import { cborBlock } from "../../../../src/dag/block.ts";
import { sha256, signerOf, verifyEd25519 } from "../../../../src/node.ts";
import { anchorOf, chainAnchorOf } from "../../../../src/plan/anchor.ts";

/** The test vectors of docs/reference/receipt.md, computed by the code: a name and a value each. */
export function receiptVectors(): ReadonlyMap<string, string> {
  const vectors = new Map<string, string>();
  const schema = schemaOf([
    { name: "time", type: "timestamp", nullable: false },
    { name: "origin", type: "utf8", nullable: true },
    { name: "delay", type: "i32", nullable: true },
    { name: "share", type: "f64", nullable: true },
  ]);
  const writer = new BatchWriter(schema);
  writer.push([1_704_067_200_000_000n, "ATL", 15, 0.5]);
  writer.push([1_704_153_600_000_000n, "LAX", -3, null]);
  writer.push([1_704_240_000_000_000n, null, 0, 2]);
  const batch = writer.take();
  const encoder = new RowEncoder();
  const rows = [0, 1, 2].map((row) => encoder.encode(batch, row).slice());
  const leaves = rows.map((row) => leafHash(sha256, row));
  for (const [i, row] of rows.entries()) {
    vectors.set(`row ${i}`, toHex(row));
    vectors.set(`leaf ${i}`, toHex(leaves[i] as Uint8Array));
  }
  vectors.set("table root", toHex(merkleRoot(sha256, leaves)));

  const slot = cborBlock(sha256, { example: "slot" }).cid;
  const statement = cborBlock(sha256, { example: "statement" }).cid;
  vectors.set("slot", slot.toString());
  vectors.set("statement", statement.toString());
  const signer = signerOf(new Uint8Array(32).fill(1));
  const other = signerOf(new Uint8Array(32).fill(2));
  vectors.set("key of seed 01…01", toHex(signer.publicKey));
  vectors.set("key of seed 02…02", toHex(other.publicKey));
  const body = {
    slot,
    statement,
    policy: { verify: "full" as const },
    executed: true,
    inputs: "read" as const,
    draw: null,
    proofs: [],
  };
  const message = dagCbor.encode(["ipdm/vote/1", slot, statement, body.policy, true, "read", null, []]);
  const vote = signVote(body, signer);
  if (!verifyEd25519(signer.publicKey, message, vote.signature)) throw new Error("the vote does not sign this message");
  vectors.set("vote message", toHex(message));
  vectors.set("vote signature", toHex(vote.signature));

  const challenges = [signer, other].map((by, i) => signChallenge(statement, new Uint8Array(32).fill(0xa0 + i), by));
  const seed = drawSeed(sha256, statement, challenges);
  vectors.set(
    "draw order",
    challenges
      .toSorted((a, b) => compareBytes(a.voter, b.voter))
      .map(({ voter }) => toHex(voter).slice(0, 8))
      .join(" "),
  );
  vectors.set("draw seed", toHex(seed));
  vectors.set("draw 3 of 100", drawRows(sha256, seed, 100, 3).join(" "));
  vectors.set("draw 5 of 4", drawRows(sha256, seed, 4, 5).join(" "));
  const sample = { verify: "sample" as const, share: 500_000 };
  vectors.set(
    "sampled at one half",
    [signer, other].map(({ publicKey }) => String(mustExecute(sha256, seed, publicKey, sample))).join(" "),
  );

  const chain = chainAnchorOf(
    {
      kind: "ethereum",
      chain: "1",
      from: 100,
      to: 101,
      hashes: [new Uint8Array(32).fill(0xb0), new Uint8Array(32).fill(0xb1)],
      headers: null,
    },
    sha256,
  );
  vectors.set("block hashes", chain.parts.map(({ cid }) => cid.toString()).join(" "));
  vectors.set("chain root", toHex((chain.anchor as ChainAnchor).root as Uint8Array));
  vectors.set("chain anchor", chain.block.cid.toString());

  const generated = {
    kind: "generated",
    generator: "nexmark/1",
    table: "bids",
    events: 1_000_000,
    rate: 10_000,
  } as const;
  vectors.set(
    "generated anchor",
    anchorOf({ kind: "generated", name: "bids", spec: generated }, generated, sha256).block.cid.toString(),
  );

  const work = taskKey(sha256, {
    stage: slot,
    membership: statement,
    cut: 4096,
    prove: [{ start: 1_704_067_200_000_000, key: ["ATL"] }],
  });
  const outputs = { table: { task: "daily", port: "main" } };
  const run = runKey(sha256, { name: "tests", membership: statement, tasks: { daily: work.cid }, outputs });
  vectors.set("task key", work.cid.toString());
  vectors.set("run key", run.cid.toString());
  const lively = taskKey(sha256, {
    stage: slot,
    membership: statement,
    cut: 4096,
    prove: null,
    live: { name: "late", range: "^1.2" },
    after: work.cid,
  });
  vectors.set("live task key", lively.cid.toString());

  const key = windowKeyBytes(["ATL"]);
  const context = contextOf({
    statement: statement.bytes,
    domain: "tests",
    epoch: 1,
    task: "daily",
    column: "delay",
    key,
    windowStart: 1_704_067_200_000_000n,
    windowEnd: 1_704_153_600_000_000n,
    chunk: 0,
    chunks: 1,
  });
  vectors.set("window key", toHex(key));
  vectors.set("proof context", context.toString(16));

  const root = signRoot(
    {
      v: 1,
      result: slot,
      seal: { statement, certificate: slot },
      config: slot,
      inputs: [slot],
      modules: [],
      statements: [statement],
      certificates: [slot],
      proofs: [],
      membership: slot,
      journals: {},
      blocks: { count: 2, merkleRoot: sha256(utf8("")) },
    },
    signer,
  );
  vectors.set("receipt signature", toHex(root.signature));
  return vectors;
}
