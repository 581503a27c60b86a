import { join } from "node:path";
import { equalBytes } from "../core/bytes.ts";
import { loadSeed, signerOf } from "../node.ts";
import type { Isolation } from "../sandbox/policy.ts";

/** Name of the publisher's key in a catalogue's folder. */
export const PUBLISHER_KEY_FILE = "publisher.key";

/**
 * What separates a catalogue's module from the node: a thread where the key in the catalogue's folder published it, a process of its
 * own where anyone else did, or where that cannot be told. It decides no result.
 */
export async function isolationFor(folder: string, publisher: Uint8Array): Promise<Isolation> {
  const seed = await loadSeed(join(folder, PUBLISHER_KEY_FILE)).catch(() => undefined);
  return seed !== undefined && equalBytes(signerOf(seed).publicKey, publisher) ? "thread" : "process";
}
