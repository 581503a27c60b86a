import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { LevelStore } from "../../../src/journal/level-store.ts";
import type { Store } from "../../../src/journal/port.ts";
import { sha256, storeContract } from "./store.contract.ts";

const folders: string[] = [];
const paths = new WeakMap<Store, string>();

storeContract("LevelStore", {
  open: async () => {
    const path = await mkdtemp(join(tmpdir(), "ipdm-store-"));
    folders.push(path);
    return await openAt(path);
  },
  reopen: async (store) => {
    await store.close();
    return await openAt(paths.get(store) as string);
  },
});

afterAll(async () => {
  for (const path of folders) await rm(path, { recursive: true, force: true });
});

// Small segments, so that the suite fills several.
async function openAt(path: string): Promise<Store> {
  const store = await LevelStore.open({ path, hash: sha256, segmentBytes: 64 * 1024 });
  paths.set(store, path);
  return store;
}
