import { createHash } from "node:crypto";
import { publicKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import { createLibp2pNetwork, type Libp2pNetwork } from "../../../src/network/libp2p-network.ts";
import type { Libp2pTransport } from "../../../src/network/libp2p-node.ts";
import { Libp2pByteStream } from "../../../src/network/libp2p-stream.ts";
import { networkContract } from "./network.contract.ts";

for (const transport of ["memory", "tcp"] satisfies Libp2pTransport[]) {
  networkContract(`libp2p over ${transport}`, async () => {
    const networks: Libp2pNetwork[] = [];
    return {
      async start() {
        const seed = createHash("sha256").update(`node ${networks.length}`).digest();
        const bootstrap = networks.flatMap((network) => network.addresses);
        const network = await createLibp2pNetwork({ seed, transport, bootstrap, domainNodes: 4 });
        networks.push(network);
        return network;
      },
      async openBytes(from, to, protocol) {
        const peer = peerIdFromPublicKey(publicKeyFromRaw(to.self));
        return new Libp2pByteStream(await (from as Libp2pNetwork).libp2p.dialProtocol(peer, protocol));
      },
      async close() {
        await Promise.all(networks.map((network) => network.close()));
      },
    };
  });
}
