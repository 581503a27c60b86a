import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import type { CID } from "multiformats/cid";
import { peer } from "./peers.ts";
import type { Open } from "./subject.ts";

interface EventLog {
  add(value: unknown): Promise<string>;
  close(): Promise<void>;
}
interface OrbitDb {
  open(name: string, options: object): Promise<EventLog>;
  stop(): Promise<void>;
}

/**
 * OrbitDB's event log, one for each actor, its blocks in LevelDB without a sync; helia around it is a stand-in that only has the block
 * store: no network, which OrbitDB does not need to append. `undefined` where OrbitDB is not installed.
 */
export async function orbitdb(): Promise<Open | undefined> {
  const module = (await peer("@orbitdb/core", "src/index.js")) as
    | { createOrbitDB(options: object): Promise<OrbitDb>; MemoryStorage(): Promise<unknown> }
    | undefined;
  if (module === undefined) return undefined;
  return async (folder, actors) => {
    const blocks = new ClassicLevel<string, Uint8Array>(join(folder, "blocks"), { valueEncoding: "view" });
    await blocks.open();
    const ipfs = {
      libp2p: {
        peerId: { toString: () => "12D3KooWBenchBenchBenchBenchBenchBench" },
        services: {
          pubsub: { publish() {}, subscribe() {}, unsubscribe() {}, addEventListener() {}, removeEventListener() {} },
        },
        handle() {},
        unhandle() {},
        addEventListener() {},
        removeEventListener() {},
      },
      pins: { isPinned: async () => true, async *add() {} },
      blockstore: {
        put: async (cid: CID, bytes: Uint8Array) => {
          await blocks.put(cid.toString(), bytes);
          return cid;
        },
        async *get(cid: CID) {
          yield await blocks.get(cid.toString());
        },
      },
    };
    const orbit = await module.createOrbitDB({ ipfs, directory: join(folder, "orbitdb") });
    const logs: EventLog[] = [];
    for (let actor = 0; actor < actors; actor++)
      logs.push(await orbit.open(`order-${actor}`, { type: "events", sync: false, syncAutomatically: false }));
    return {
      send: (actor, event) => logs[actor]?.add(event) ?? Promise.reject(new Error(`no log ${actor}`)),
      [Symbol.asyncDispose]: async () => {
        for (const log of logs) await log.close();
        await orbit.stop();
        await blocks.close();
      },
    };
  };
}
