import {
  createPrivateKey,
  createPublicKey,
  verify as cryptoVerify,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { concat, fromHex, toHex, utf8 } from "./core/bytes.ts";
import { IpdmError } from "./core/errors.ts";
import type { Signer, Verify } from "./core/ports.ts";
import { LevelStore } from "./journal/level-store.ts";
import type { Store } from "./journal/port.ts";
import { sha256 } from "./network/node-defaults.ts";
import { writeWhole } from "./sinks/atomic-file.ts";

export { quietLog, sha256 } from "./network/node-defaults.ts";

// RFC 8410: fixed DER prefixes before a raw Ed25519 seed (PKCS #8) and a raw public key (SPKI).
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
/** Public keys kept parsed; a domain has at most 31 members. */
const KEYS_KEPT_MAX = 256;

/** An Ed25519 signer (RFC 8032) from its 32-byte seed. */
export function signerOf(seed: Uint8Array): Signer {
  const key = createPrivateKey({ key: Buffer.from(concat(PKCS8_PREFIX, seed)), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const publicKey = new Uint8Array(spki.subarray(SPKI_PREFIX.length));
  return { publicKey, sign: (message) => new Uint8Array(sign(null, message, key)) };
}

/** Ed25519 verification (RFC 8032) by `node:crypto`; false for anything malformed. */
export const verifyEd25519: Verify = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return cryptoVerify(null, message, parsedKey(publicKey), signature);
  } catch {
    return false;
  }
};

const parsedKeys = new Map<string, KeyObject>();

function parsedKey(publicKey: Uint8Array): KeyObject {
  const text = toHex(publicKey);
  let key = parsedKeys.get(text);
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.from(concat(SPKI_PREFIX, publicKey)), format: "der", type: "spki" });
    if (parsedKeys.size >= KEYS_KEPT_MAX) parsedKeys.clear();
    parsedKeys.set(text, key);
  }
  return key;
}

/** A node of this process: a name for people, its key, and its own durable store. */
export interface LocalNode {
  readonly name: string;
  readonly seed: Uint8Array;
  readonly signer: Signer;
  readonly store: Store;
}

/** Opens a node's folder: its key (made on first use) and its store. Throws `DATA_DIR_IN_USE`, `KEY_MALFORMED` and the store's errors. */
export async function openLocalNode(name: string, folder: string): Promise<LocalNode> {
  await mkdir(folder, { recursive: true });
  // The store's lock comes first: of two first starts, only the one that holds it may make the key.
  const store = await LevelStore.open({ path: join(folder, "store"), hash: sha256 });
  try {
    const { seed } = await loadOrMakeSeed(join(folder, "key"));
    return { name, seed, signer: signerOf(seed), store };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Reads the 32-byte seed of an Ed25519 key as hexadecimal text; `undefined` where there is no file. Throws `KEY_MALFORMED`. */
export async function loadSeed(path: string): Promise<Uint8Array | undefined> {
  try {
    const seed = fromHex((await readFile(path, "utf8")).trim());
    if (seed?.length === 32) return seed;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  throw new IpdmError("KEY_MALFORMED", `${path} does not hold a key of 64 hexadecimal digits`, {
    kind: "config",
    where: path,
  });
}

/** Reads a seed as {@link loadSeed}, or makes one, written for its owner only. Two processes must not do this at once. */
export async function loadOrMakeSeed(path: string): Promise<{ readonly seed: Uint8Array; readonly isNew: boolean }> {
  const seed = await loadSeed(path);
  return seed === undefined ? { seed: await makeSeed(path), isNew: true } : { seed, isNew: false };
}

async function makeSeed(path: string): Promise<Uint8Array> {
  const seed = new Uint8Array(randomBytes(32));
  // Whole, and in its folder for good: journals must never outlive the key that signs for them.
  await writeWhole(path, utf8(`${toHex(seed)}\n`), 0o600);
  return seed;
}
