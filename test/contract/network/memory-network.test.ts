import { createHash } from "node:crypto";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import { networkContract } from "./network.contract.ts";

networkContract("memory", async () => {
  const hub = new MemoryHub();
  const networks: AsyncDisposable[] = [];
  let count = 0;
  return {
    async start() {
      const network = hub.join(createHash("sha256").update(`node ${count++}`).digest());
      networks.push(network);
      return network;
    },
    openBytes: (from, to, protocol) => hub.openBytes(from.self, to.self, protocol),
    async close() {
      for (const network of networks) await network[Symbol.asyncDispose]();
    },
  };
});
