import type { Log } from "../core/ports.ts";
import type { Libp2pNetwork } from "../network/libp2p-network.ts";
import { type LocalNode, sha256 } from "../node.ts";

/**
 * Networks for the nodes of one process: libp2p over its memory transport, with real gossip. A single node needs none, and
 * libp2p is not even loaded for it.
 */
export async function openLocalNetworks(
  nodes: readonly LocalNode[],
  log: Log,
  signal: AbortSignal,
): Promise<Libp2pNetwork[]> {
  if (nodes.length < 2) return [];
  const { createLibp2pNetwork } = await import("../network/libp2p-network.ts");
  const networks: Libp2pNetwork[] = [];
  try {
    for (const node of nodes) {
      const bootstrap = networks.flatMap((network) => network.addresses);
      networks.push(
        await createLibp2pNetwork({
          seed: node.seed,
          transport: "memory",
          bootstrap,
          domainNodes: nodes.length,
          hash: sha256,
          log,
          signal,
        }),
      );
    }
    return networks;
  } catch (error) {
    await Promise.all(networks.map((network) => network.close()));
    throw error;
  }
}
