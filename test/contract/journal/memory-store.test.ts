import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { sha256, storeContract } from "./store.contract.ts";

storeContract("MemoryStore", {
  open: async () => new MemoryStore({ hash: sha256 }),
  reopen: async (store) => {
    await store.close();
    return new MemoryStore({ hash: sha256, image: (store as MemoryStore).image() });
  },
});
