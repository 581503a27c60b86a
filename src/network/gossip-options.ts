import { createHash } from "node:crypto";
import { type GossipsubOpts, StrictSign } from "@chainsafe/libp2p-gossipsub";
import { GOSSIP_SIZE_MAX_BYTES } from "./limits.ts";

const HEARTBEAT_MS = 100;
/** How long messages are kept to answer peers that missed them, and advertised to them, in heartbeats. */
const KEPT_HEARTBEATS = 50;
const ADVERTISED_HEARTBEATS = 30;

/** The mesh degree of gossipsub: how many peers each node relays to, and the bounds that make it graft or prune. */
export interface MeshDegree {
  readonly D: number;
  readonly Dlo: number;
  readonly Dhi: number;
  readonly Dout: number;
  readonly Dscore: number;
}

/**
 * The degree for a domain of `nodes`: everyone in a small one, then about log2(nodes) + 1, at most 6. Each link costs a
 * transmission a message, and a mesh of that degree stays connected with a node or two gone.
 */
export function meshDegree(nodes: number): MeshDegree {
  const D = Math.max(1, Math.min(nodes - 1, 6, Math.ceil(Math.log2(Math.max(2, nodes))) + 1));
  return { D, Dlo: Math.max(1, D - 1), Dhi: 2 * D + 2, Dout: D >= 4 ? 1 : 0, Dscore: Math.min(D, 4) };
}

/** Gossipsub as the runtime wants it: signed messages, no flooding, bounded sizes, a mesh that forms within a heartbeat. */
export function gossipOptions(nodes: number): Partial<GossipsubOpts> {
  return {
    ...meshDegree(nodes),
    globalSignaturePolicy: StrictSign,
    // Flooding sends every message to every peer in the topic, beyond the mesh: twice the transmissions or more.
    floodPublish: false,
    allowPublishToZeroTopicPeers: true,
    fallbackToFloodsub: false,
    emitSelf: false,
    doPX: false,
    heartbeatInterval: HEARTBEAT_MS,
    mcacheLength: KEPT_HEARTBEATS,
    mcacheGossip: ADVERTISED_HEARTBEATS,
    maxInboundDataLength: 4 * GOSSIP_SIZE_MAX_BYTES,
    fastMsgIdFn: wholeMessageId,
  };
}

interface WireMessage {
  readonly from?: Uint8Array | undefined;
  readonly data?: Uint8Array | undefined;
  readonly seqno?: Uint8Array | undefined;
  readonly topic?: string | undefined;
  readonly signature?: Uint8Array | undefined;
  readonly key?: Uint8Array | undefined;
}

/**
 * An id of everything in a message, signature included, by which copies are dropped before their signature is checked.
 * Nothing may be left out: a copy with one byte changed must not count as seen, and must not keep the true one out.
 */
function wholeMessageId(message: WireMessage): string {
  const hash = createHash("sha256");
  const length = new Uint8Array(4);
  for (const part of [message.from, message.seqno, message.topic, message.data, message.signature, message.key]) {
    const bytes = typeof part === "string" ? Buffer.from(part) : (part ?? new Uint8Array(0));
    new DataView(length.buffer).setUint32(0, bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest("base64");
}
