import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { type GossipSub, gossipsub } from "@chainsafe/libp2p-gossipsub";
import { noise } from "@chainsafe/libp2p-noise";
import { yamux } from "@chainsafe/libp2p-yamux";
import { generateKeyPairFromSeed } from "@libp2p/crypto/keys";
import { type Identify, identify } from "@libp2p/identify";
import type { Libp2p } from "@libp2p/interface";
import { memory } from "@libp2p/memory";
import { plaintext } from "@libp2p/plaintext";
import { tcp } from "@libp2p/tcp";
import { createLibp2p } from "libp2p";
import { IpdmError } from "../core/errors.ts";
import { gossipOptions } from "./gossip-options.ts";

/** How bytes travel: `memory` inside this process, `tcp` between processes. */
export type Libp2pTransport = "memory" | "tcp";

/** The libp2p node with the services that the runtime needs. */
export type Libp2pNode = Libp2p<{ readonly identify: Identify; readonly pubsub: GossipSub }>;

/** What a libp2p node is built from. */
export interface Libp2pNodeOptions {
  /** Ed25519 seed (RFC 8032), 32 bytes: the node's identity. */
  readonly seed: Uint8Array;
  readonly transport: Libp2pTransport;
  /** Multiaddrs to listen on; by default a fresh memory address, or a free port of 127.0.0.1. */
  readonly listen?: readonly string[] | undefined;
  /** Nodes expected in the domain; sets the gossip mesh degree. */
  readonly domainNodes: number;
  /** `plaintext` only over `memory`, where no byte leaves the process. */
  readonly encryption?: "noise" | "plaintext" | undefined;
}

const CONNECTIONS_MAX = 300;
/** Connections a second from one host; all nodes of a local swarm share one. */
const CONNECTIONS_PER_HOST_MAX = 100;

/** Builds and starts a libp2p node. Throws `KEY_INVALID`, `NETWORK_INSECURE`. */
export async function startLibp2pNode(options: Libp2pNodeOptions): Promise<Libp2pNode> {
  const { seed, transport, encryption = "noise" } = options;
  if (seed.length !== 32)
    throw new IpdmError("KEY_INVALID", `an Ed25519 seed has 32 bytes, not ${seed.length}`, { kind: "config" });
  if (encryption === "plaintext" && transport !== "memory") {
    throw new IpdmError("NETWORK_INSECURE", "plaintext is for the memory transport only", { kind: "config" });
  }
  const inMemory = transport === "memory";
  return createLibp2p({
    privateKey: await generateKeyPairFromSeed("Ed25519", seed),
    addresses: { listen: [...(options.listen ?? [inMemory ? `/memory/${randomUUID()}` : "/ip4/127.0.0.1/tcp/0"])] },
    transports: [inMemory ? memory() : tcp()],
    connectionEncrypters: [encryption === "noise" ? noise() : plaintext()],
    streamMuxers: [yamux()],
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: CONNECTIONS_PER_HOST_MAX,
      maxIncomingPendingConnections: CONNECTIONS_PER_HOST_MAX,
    },
    // In one process a busy event loop delays the pings of a healthy connection, and nothing else can break it.
    connectionMonitor: { enabled: !inMemory },
    services: { identify: identify(), pubsub: gossipsub(gossipOptions(options.domainNodes)) },
  });
}

/** Stops a node and the timer that libp2p 3.3 leaves behind. */
export async function stopLibp2pNode(node: Libp2pNode): Promise<void> {
  await node.stop();
  // Listeners that close make the address manager plan an update a second later, which nobody cancels: it would keep the
  // process alive that long.
  await setImmediate();
  (node as unknown as NodeInternals).components?.addressManager?._updatePeerStoreAddresses?.stop?.();
}

// Members that libp2p has and its exported type leaves out; another version may not have them.
interface NodeInternals {
  readonly components?: { readonly addressManager?: { readonly _updatePeerStoreAddresses?: { stop?(): void } } };
}
