import type { CID } from "multiformats/cid";
import { decodeMessage, encodeMessage, encodeSyncAnswer, type Message } from "../../../actors/domain/messages.ts";
import { SYNC_PROTOCOL } from "../../../actors/domain/sync.ts";
import type { Membership } from "../../../src/consensus/membership.ts";
import { signChallenge, signVote } from "../../../src/consensus/vote.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import type { Signer } from "../../../src/core/ports.ts";
import { CODEC, cborBlock, cidOf } from "../../../src/dag/block.ts";
import type { MemoryHub } from "../../../src/network/memory-network.ts";
import type { Network } from "../../../src/network/port.ts";
import { sha256 } from "../../../src/node.ts";
import type { Random } from "./random.ts";

/** A member with a good key and bad manners: it votes twice, names links that lead nowhere, and answers with rubbish. */
export class HostilePeer {
  private readonly network: Network;
  private readonly signer: Signer;
  private readonly membership: Membership;
  private readonly topic: string;
  private readonly random: Random;
  private count = 0;

  constructor(hub: MemoryHub, signer: Signer, membership: Membership, run: CID, random: Random) {
    this.signer = signer;
    this.membership = membership;
    this.random = random;
    this.topic = `ipdm/1/${run.toString()}/control`;
    this.network = hub.join(signer.publicKey);
    this.network.subscribe(this.topic, ({ data }) => void this.hear(data));
    this.network.handle(SYNC_PROTOCOL, async () => this.answer());
    this.network.serveBlocks(async () => undefined);
  }

  close(): Promise<void> {
    return this.network.close();
  }

  private async hear(data: Uint8Array): Promise<void> {
    const message = decodeMessage(data);
    if (message.kind !== "slot") return;
    const slot = cidOf(sha256, CODEC.dagCbor, message.slot);
    for (let i = 0; i < 3; i++) await this.say({ kind: "vote", vote: this.vote(slot) });
    for (let i = 0; i < 60; i++) await this.say(this.junk());
    await this.network.publish(
      this.topic,
      Uint8Array.from({ length: 40 }, () => this.random.below(256)),
    );
  }

  private say(message: Message): Promise<void> {
    return this.network.publish(this.topic, encodeMessage(message)).catch(() => {});
  }

  private vote(slot: CID) {
    const { policy } = this.membership;
    return signVote(
      { slot, statement: this.nowhere(), policy, executed: true, inputs: "read", draw: null, proofs: [] },
      this.signer,
    );
  }

  private junk(): Message {
    const nonce = sha256(utf8(`nonce ${this.count++}`));
    switch (this.random.below(5)) {
      case 0:
        return { kind: "vote", vote: this.vote(this.nowhere()) };
      case 1:
        return { kind: "challenge", challenge: signChallenge(this.nowhere(), nonce, this.signer) };
      case 2:
        return { kind: "statement", slot: this.nowhere(), statement: this.nowhere() };
      case 3:
        return { kind: "draw", statement: this.nowhere(), draw: this.nowhere() };
      default:
        return { kind: "certificate", certificate: cborBlock(sha256, { v: 1, votes: [] }).bytes };
    }
  }

  private answer(): Uint8Array {
    if (this.random.chance(0.3)) return Uint8Array.from([0xff, 1, 2]);
    return encodeSyncAnswer([utf8("no message"), ...Array.from({ length: 20 }, () => encodeMessage(this.junk()))]);
  }

  private nowhere(): CID {
    return cidOf(sha256, CODEC.dagCbor, utf8(`nowhere ${this.count++}`));
  }
}
