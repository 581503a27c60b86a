import type { CID } from "multiformats/cid";
import { type Block, rawBlock } from "../dag/block.ts";
import type { Libp2pNetwork } from "../network/libp2p-network.ts";
import { type LocalNode, sha256 } from "../node.ts";
import type { RunPlan } from "../runtime/plan.ts";

/**
 * Gives every voter the plan's modules: by CID, over bitswap, from the submitter, who alone reads the files. Voters keep them, so
 * a later run on the same data folder loads no IPFS stack at all. Returns the bytes by node, then by module CID.
 */
export async function exchangeModules(
  plan: RunPlan,
  members: readonly LocalNode[],
  networks: readonly Libp2pNetwork[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Uint8Array>[]> {
  const modules = plan.tasks.flatMap((task) => (task.module === null ? [] : [rawBlock(sha256, task.module.bytes)]));
  const unique = [...new Map(modules.map((block) => [block.cid.toString(), block])).values()];
  const [submitter] = members as [LocalNode];
  await submitter.store.blocks.putAll(unique);
  const missing = await Promise.all(members.map((member) => missingFrom(member, unique)));
  if (missing.some((list) => list.length > 0)) await fetchMissing(unique, missing, members, networks, signal);
  return Promise.all(members.map((member) => readAll(member, unique)));
}

async function fetchMissing(
  modules: readonly Block[],
  missing: readonly (readonly CID[])[],
  members: readonly LocalNode[],
  networks: readonly Libp2pNetwork[],
  signal: AbortSignal,
): Promise<void> {
  // Loaded only here: it costs more time than everything else that starts up.
  const { BLOB_SIZE_MAX_BYTES, createBlobExchange } = await import("../lake/helia-exchange.ts");
  const { createHeliaBlockstore } = await import("../lake/helia-blockstore.ts");
  const open = new Set(modules.map(({ cid }) => cid.toString()));
  const exchanges = await Promise.all(
    members.map((member, i) => {
      const blockstore = createHeliaBlockstore({
        store: member.store.blocks,
        isPublic: (cid) => open.has(cid.toString()),
        hash: sha256,
      });
      return createBlobExchange({ libp2p: (networks[i] as Libp2pNetwork).libp2p, blockstore, hash: sha256 });
    }),
  );
  try {
    const [first] = exchanges;
    const [submitter] = networks as readonly [Libp2pNetwork];
    submitter.serveBlocks(async (cid) => (open.has(cid.toString()) ? members[0]?.store.blocks.get(cid) : undefined));
    for (const block of modules) if (block.bytes.length <= BLOB_SIZE_MAX_BYTES) await first?.provide(block);
    await Promise.all(
      exchanges.slice(1).map(async (exchange, i) => {
        await networks[i + 1]?.waitForPeers(1, { signal });
        for (const cid of missing[i + 1] ?? []) {
          const size = modules.find((block) => block.cid.equals(cid))?.bytes.length ?? 0;
          if (size <= BLOB_SIZE_MAX_BYTES) await exchange.fetch(cid, { signal });
          // More than a bitswap message holds: the block protocol carries it.
          else
            for await (const block of (networks[i + 1] as Libp2pNetwork).fetchBlocks(submitter.self, [cid], { signal }))
              await members[i + 1]?.store.blocks.put(block);
        }
      }),
    );
  } finally {
    await Promise.all(exchanges.map((exchange) => exchange.close()));
  }
}

async function missingFrom(member: LocalNode, modules: readonly Block[]): Promise<CID[]> {
  const missing: CID[] = [];
  for (const { cid } of modules) if (!(await member.store.blocks.has(cid))) missing.push(cid);
  return missing;
}

async function readAll(member: LocalNode, modules: readonly Block[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const bytes = new Map<string, Uint8Array>();
  for (const { cid } of modules) bytes.set(cid.toString(), (await member.store.blocks.get(cid)) as Uint8Array);
  return bytes;
}
