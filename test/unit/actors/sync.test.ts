import { describe, expect, it } from "vitest";
import { Committee } from "../../../actors/domain/committee.ts";
import { decodeSyncAnswer, encodeSyncRequest } from "../../../actors/domain/messages.ts";
import { SYNC_PROTOCOL } from "../../../actors/domain/sync.ts";
import type { Signer } from "../../../src/core/ports.ts";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import { quietLog, sha256, verifyEd25519 } from "../../../src/node.ts";
import { linkTo, membershipOf, signersOf } from "../../property/consensus/domain.ts";

const { signal } = new AbortController();
const nothing = encodeSyncRequest({ v: 1, next: [], awaiting: [] });

describe("a committee that is asked for what a node missed", () => {
  it("answers its members, and tells a stranger nothing but that", async () => {
    const [own, member, stranger] = signersOf(3) as [Signer, Signer, Signer];
    const hub = new MemoryHub();
    const [network, asking, outside] = [own, member, stranger].map(({ publicKey }) => hub.join(publicKey)) as [
      ReturnType<MemoryHub["join"]>,
      ReturnType<MemoryHub["join"]>,
      ReturnType<MemoryHub["join"]>,
    ];
    const committee = new Committee({
      network,
      membership: membershipOf([own, member], 1),
      membershipCid: linkTo("membership"),
      run: linkTo("run"),
      signer: own,
      hash: sha256,
      verify: verifyEd25519,
      log: quietLog,
      onEvidence: () => {},
      wanted: () => [],
      recall: async () => undefined,
    });
    await committee.open(signal);
    expect(decodeSyncAnswer(await asking.request(network.self, SYNC_PROTOCOL, nothing))).toEqual([]);
    await expect(outside.request(network.self, SYNC_PROTOCOL, nothing)).rejects.toMatchObject({
      code: "NOT_A_MEMBER",
      kind: "unreachable",
      facts: { remote: true },
    });
    committee.close();
    await Promise.all([network, asking, outside].map((each) => each.close()));
  });
});
