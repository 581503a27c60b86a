import { peerIdFromString } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import { IpdmError } from "../core/errors.ts";
import { keyOf } from "./libp2p-gossip.ts";
import type { PeerKey } from "./port.ts";

/**
 * The key of the node that a multiaddr leads to: its last part is `/p2p/<peer id>`, so that whoever answers there is known to be
 * that node. Throws `ADDRESS_INVALID` (kind `config`).
 */
export function peerOfAddress(address: string): PeerKey {
  try {
    const last = multiaddr(address).getComponents().at(-1);
    const key = last?.name === "p2p" && last.value !== undefined ? keyOf(peerIdFromString(last.value)) : undefined;
    if (key !== undefined) return key;
  } catch (cause) {
    throw invalid(address, `is no multiaddr: ${(cause as Error).message}`, cause);
  }
  throw invalid(address, "does not end in /p2p/ and the peer id of an Ed25519 key");
}

/** Checks an address to listen on. Throws `ADDRESS_INVALID` (kind `config`). */
export function checkListenAddress(address: string): void {
  let names: string[];
  try {
    names = multiaddr(address)
      .getComponents()
      .map(({ name }) => name);
  } catch (cause) {
    throw invalid(address, `is no multiaddr: ${(cause as Error).message}`, cause);
  }
  if (names.length !== 2 || (names[0] !== "ip4" && names[0] !== "ip6") || names[1] !== "tcp")
    throw invalid(address, "is not an IP address with a TCP port", undefined);
}

function invalid(address: string, what: string, cause?: unknown): IpdmError {
  return new IpdmError("ADDRESS_INVALID", `${JSON.stringify(address.slice(0, 200))} ${what}`, {
    kind: "config",
    where: address.slice(0, 200),
    hint: "such as /ip4/127.0.0.1/tcp/4001, and behind it /p2p/<peer id> where a peer is meant, as `module serve` prints it",
    cause,
  });
}
