import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { type Membership, parseMembership } from "../consensus/membership.ts";
import { compareBytes, toHex, utf8 } from "../core/bytes.ts";
import { IpdmError, located } from "../core/errors.ts";
import { type Block, cborBlock } from "../dag/block.ts";
import { type LocalNode, openLocalNode, sha256 } from "../node.ts";

/** Names of a local domain's nodes, in order; the first submits. */
const NAMES = [
  "alpha",
  "bravo",
  "charlie",
  "delta",
  "echo",
  "foxtrot",
  "golf",
  "hotel",
  "india",
  "juliett",
  "kilo",
  "lima",
  "mike",
  "november",
  "oscar",
  "papa",
  "quebec",
  "romeo",
  "sierra",
  "tango",
  "uniform",
  "victor",
  "whiskey",
  "xray",
  "yankee",
  "zulu",
  "aleph",
  "bet",
  "gimel",
  "dalet",
  "he",
];

const EPOCH_KEY = "epoch";

/** Opens the folders of a domain's nodes, all in this process. What was opened is closed again when one fails. */
export async function openMembers(dataDir: string, replicas: number): Promise<LocalNode[]> {
  const nodes: LocalNode[] = [];
  try {
    for (let i = 0; i < replicas; i++) {
      const name = NAMES[i] as string;
      nodes.push(await located(join(dataDir, name), () => openLocalNode(name, join(dataDir, name))));
    }
    return nodes;
  } catch (error) {
    await Promise.all(nodes.map((node) => node.store.close()));
    throw error;
  }
}

/** The membership of an epoch: the nodes' keys, the quorum, and the policy that votes must meet. */
export function membershipOf(
  config: Config,
  nodes: readonly LocalNode[],
  epoch: number,
): { membership: Membership; block: Block } {
  const { domain } = config;
  const submitter = nodes[0];
  if (submitter === undefined) throw new IpdmError("INVARIANT", "a domain has a first node");
  const membership = parseMembership({
    v: 1,
    domain: domain.id,
    epoch,
    members: nodes.map((node) => node.signer.publicKey).toSorted(compareBytes),
    submitter: submitter.signer.publicKey,
    quorum: domain.quorum,
    policy:
      domain.verify.kind === "full"
        ? { verify: "full" }
        : { verify: "sample", share: Math.max(1, Math.round(domain.verify.share * 1_000_000)) },
  });
  return { membership, block: cborBlock(sha256, membership) };
}

/** The epoch of the data folder; a fresh run begins the next one, in which nothing of the earlier ones is reused. */
export async function epochOf(submitter: LocalNode, fresh: boolean): Promise<number> {
  const stored = await submitter.store.meta.get(EPOCH_KEY);
  const epoch = stored === undefined ? 1 : Number(new TextDecoder().decode(stored));
  if (!fresh) {
    if (stored === undefined) await submitter.store.meta.put(EPOCH_KEY, new TextEncoder().encode("1"));
    return epoch;
  }
  const next = stored === undefined ? 1 : epoch + 1;
  await submitter.store.meta.put(EPOCH_KEY, new TextEncoder().encode(String(next)));
  return next;
}

/** The nodes' public keys as a JSON file for readers: `{"v": 1, "keys": […], "nodes": {name: key}}`, keys in hexadecimal. */
export function keysOf(nodes: readonly LocalNode[]): Uint8Array {
  const named = nodes.map((node) => [node.name, toHex(node.signer.publicKey)] as const);
  const content = { v: 1, keys: named.map(([, key]) => key), nodes: Object.fromEntries(named) };
  return utf8(`${JSON.stringify(content, undefined, 2)}\n`);
}
