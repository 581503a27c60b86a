import { toHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";

/** Something was used after `close`, or was under way when it came. */
export function networkClosed(): IpdmError {
  return new IpdmError("NETWORK_CLOSED", "this node's network is closed", { kind: "interrupted" });
}

/** No way to the peer, or the way broke. */
export function peerUnreachable(peer: Uint8Array, why: string, cause?: unknown): IpdmError {
  const name = toHex(peer);
  return new IpdmError("PEER_UNREACHABLE", `peer ${name.slice(0, 16)} cannot be reached: ${why}`, {
    kind: "unreachable",
    where: name,
    hint: "check that the peer runs, and listens at the address that was given for it",
    retry: "later",
    cause,
  });
}

/** The peer is there and does not speak this protocol. */
export function protocolUnsupported(protocol: string, cause?: unknown): IpdmError {
  return new IpdmError("PROTOCOL_UNSUPPORTED", `the peer does not answer ${protocol}`, {
    kind: "unreachable",
    where: protocol,
    cause,
  });
}

/** A bound of time passed. */
export function timedOut(
  code: "REQUEST_TIMEOUT" | "BLOCK_TIMEOUT" | "PEERS_TIMEOUT",
  what: string,
  timeoutMs: number,
): IpdmError {
  return new IpdmError(code, `${what} took longer than ${timeoutMs} ms`, {
    kind: "unreachable",
    retry: "later",
    facts: { timeoutMs },
  });
}

/** A peer broke the framing or the order of a protocol. */
export function malformedFrame(why: string, facts: Readonly<Record<string, unknown>> = {}): IpdmError {
  return new IpdmError("FRAME_MALFORMED", `a frame from a peer is malformed: ${why}`, { kind: "verification", facts });
}

/** A message is larger than its limit. */
export function tooLarge(
  code: "GOSSIP_TOO_LARGE" | "REQUEST_TOO_LARGE" | "RESPONSE_TOO_LARGE",
  sizeBytes: number,
  limitBytes: number,
): IpdmError {
  return new IpdmError(code, `${sizeBytes} bytes are more than the limit of ${limitBytes}`, {
    facts: { sizeBytes, limitBytes },
  });
}

/** More messages wait to be gossiped than the limit allows. */
export function gossipQueueFull(): IpdmError {
  return new IpdmError("GOSSIP_QUEUE_FULL", "too many messages wait to be gossiped", {
    hint: "await publish before the next",
    retry: "later",
  });
}
