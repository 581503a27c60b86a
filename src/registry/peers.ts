import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { equalBytes, toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { startDeadline, wallTimers } from "../network/deadline.ts";
import { peerUnreachable } from "../network/errors.ts";
import type { Libp2pNetwork } from "../network/libp2p-network.ts";
import type { PeerKey } from "../network/port.ts";
import { loadOrMakeSeed, sha256, signerOf } from "../node.ts";
import type { Catalogue } from "./catalogue.ts";
import { CatalogueLease } from "./catalogue-lease.ts";
import { serveCatalogue } from "./catalogue-server.ts";
import { SYNC_TIMEOUT_MS, type SyncOptions, type SyncReport, syncCatalogue } from "./catalogue-sync.ts";

/** Where a catalogue is served when nobody says otherwise: to this machine alone. */
export const LISTEN_DEFAULT = "/ip4/127.0.0.1/tcp/0";
/** Name of the key by which a catalogue's peers know it, in its folder. */
const NODE_KEY_FILE = "node.key";
/** Nodes that a catalogue's network is laid out for: it gossips nothing. */
const DOMAIN_NODES = 2;

/** A catalogue that is being served. */
export interface ServedCatalogue extends AsyncDisposable {
  /** Where peers find it, each with its peer id. */
  readonly addresses: readonly string[];
  /** Its node's public key. */
  readonly node: PeerKey;
  /** Entries in it when it was opened. */
  readonly modules: number;
}

/**
 * Serves the catalogue of a folder over libp2p (TCP, noise) until it is disposed; the folder is open only while a peer asks. Its node's
 * key is made in the folder on first use. Throws as `Catalogue.open`, `ADDRESS_INVALID`, `ADDRESS_UNUSABLE`, `KEY_MALFORMED`.
 */
export async function openCatalogueServer(
  folder: string,
  {
    listen = LISTEN_DEFAULT,
    log,
    signal,
  }: { readonly listen?: string | undefined; readonly log: Log; readonly signal: AbortSignal },
): Promise<ServedCatalogue> {
  const { checkListenAddress } = await import("../network/libp2p-address.ts");
  checkListenAddress(listen);
  const { createLibp2pNetwork } = await import("../network/libp2p-network.ts");
  const lease = new CatalogueLease(folder);
  // The folder's lock comes first: only whoever holds it may make the key.
  const { seed, modules } = await lease.use(async ({ size }) => ({
    ...(await loadOrMakeSeed(join(folder, NODE_KEY_FILE))),
    modules: size,
  }));
  const options = { seed, transport: "tcp", listen: [listen], domainNodes: DOMAIN_NODES, hash: sha256, log } as const;
  let network: Libp2pNetwork;
  try {
    network = await createLibp2pNetwork({ ...options, signal });
  } catch (cause) {
    await lease[Symbol.asyncDispose]();
    if (signal.aborted || cause instanceof IpdmError) throw cause;
    throw new IpdmError("ADDRESS_UNUSABLE", `nothing can listen on ${listen}: ${reasonOf(cause)}`, {
      kind: "config",
      where: listen,
      hint: "choose an address of this machine and a free port; port 0 takes any",
      cause,
    });
  }
  serveCatalogue(network, lease.use, signerOf(seed));
  return {
    addresses: network.addresses,
    node: network.self,
    modules,
    [Symbol.asyncDispose]: async () => {
      await network.close();
      await lease[Symbol.asyncDispose]();
    },
  };
}

/** What the system said; libp2p puts it between an advice and a stack. */
function reasonOf(cause: unknown): string {
  const { message } = cause as Error;
  return /listen E[A-Z]+[^\n]*/.exec(message)?.[0] ?? message.slice(0, 200);
}

/** Bounds of a sync over the network. */
export interface PeerSyncOptions extends SyncOptions {
  readonly log: Log;
  /** How long all of it may take, in milliseconds; {@link SYNC_TIMEOUT_MS} unless told. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Takes from the catalogue at an address what this one does not have. Throws `ADDRESS_INVALID`, `PEER_UNREACHABLE`,
 * `CATALOGUE_SYNC_TIMEOUT`, and as {@link syncCatalogue}.
 */
export async function syncFromAddress(
  catalogue: Catalogue,
  address: string,
  { log, timeoutMs = SYNC_TIMEOUT_MS, signal, ...options }: PeerSyncOptions,
): Promise<SyncReport> {
  const { peerOfAddress } = await import("../network/libp2p-address.ts");
  const peer = peerOfAddress(address);
  const { createLibp2pNetwork } = await import("../network/libp2p-network.ts");
  using deadline = startDeadline({
    signals: [signal],
    timers: wallTimers,
    timeoutMs,
    onTimeout: () => timedOut(peer, timeoutMs),
  });
  // Who only asks needs no name that lasts, and no address.
  await using network = await createLibp2pNetwork({
    seed: randomBytes(32),
    transport: "tcp",
    listen: [],
    domainNodes: DOMAIN_NODES,
    hash: sha256,
    log,
  });
  await dial(network, address, peer, deadline.signal);
  return await syncCatalogue(catalogue, network, peer, { ...options, signal: deadline.signal });
}

async function dial(network: Libp2pNetwork, address: string, peer: PeerKey, signal: AbortSignal): Promise<void> {
  const { multiaddr } = await import("@multiformats/multiaddr");
  try {
    await network.libp2p.dial(multiaddr(address), { signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw peerUnreachable(peer, (cause as Error).message, cause);
  }
  if (!network.peers().some((one) => equalBytes(one, peer))) throw peerUnreachable(peer, "it went away at once");
}

function timedOut(peer: PeerKey, timeoutMs: number): IpdmError {
  return new IpdmError("CATALOGUE_SYNC_TIMEOUT", `the catalogue of ${toHex(peer)} took longer than ${timeoutMs} ms`, {
    kind: "unreachable",
    where: toHex(peer),
    hint: "what came is kept: the same command goes on from here; --timeout gives it longer",
    retry: "now",
    facts: { timeoutMs },
  });
}
