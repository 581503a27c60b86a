import { isMember } from "../../src/consensus/membership.ts";
import { toHex } from "../../src/core/bytes.ts";
import { IpdmError } from "../../src/core/errors.ts";
import { type Timers, wallTimers } from "../../src/network/deadline.ts";
import type { Network } from "../../src/network/port.ts";
import type { CommitteePorts } from "./committee-ports.ts";
import type { Hearing } from "./hearing.ts";
import {
  decodeSyncAnswer,
  decodeSyncRequest,
  encodeSyncAnswer,
  encodeSyncRequest,
  SYNC_AWAITING_MAX,
} from "./messages.ts";
import type { SlotBook } from "./slot-book.ts";
import { syncAnswer } from "./sync-answer.ts";

/** How often a node that waits for others asks them, in milliseconds. */
const SYNC_INTERVAL_MS = 400;
/** How long one peer may take to answer, in milliseconds. */
const SYNC_TIMEOUT_MS = 5000;

/** Protocol by which a node asks another for what it missed. */
export const SYNC_PROTOCOL = "/ipdm/sync/1";

/** Asks peers for what gossip lost, again and again, and answers those that ask. */
export class Sync {
  private readonly ports: CommitteePorts;
  private readonly book: SlotBook;
  private readonly hearing: Hearing;
  private readonly timers: Timers;
  private readonly stop: AbortSignal;
  private round: Promise<void> | undefined;
  private cancel: (() => void) | undefined;

  constructor(ports: CommitteePorts, book: SlotBook, hearing: Hearing, stop: AbortSignal) {
    this.ports = ports;
    this.book = book;
    this.hearing = hearing;
    this.timers = ports.timers ?? wallTimers;
    this.stop = stop;
  }

  /** Begins to ask and to answer. Returns what ends both. */
  open(network: Network): () => void {
    const unhandle = network.handle(SYNC_PROTOCOL, async (from, request) => this.answer(from, request));
    this.later();
    return () => {
      this.cancel?.();
      unhandle();
    };
  }

  private later(): void {
    if (this.stop.aborted) return;
    this.cancel = this.timers.after(SYNC_INTERVAL_MS, () => {
      void this.ask();
      this.later();
    });
  }

  /** Asks all peers at once for what this node waits for. One round at a time. Never rejects. */
  ask(): Promise<void> {
    if (this.ports.network === undefined || this.stop.aborted) return Promise.resolve();
    this.round ??= this.askAll(this.ports.network).finally(() => {
      this.round = undefined;
    });
    return this.round;
  }

  private async askAll(network: Network): Promise<void> {
    const awaiting = this.book
      .awaited()
      .take(SYNC_AWAITING_MAX)
      .map(({ cid, slot: { task, key, seq } }) => ({ slot: cid, place: { task, key, seq } }));
    const request = { v: 1 as const, next: [...this.ports.wanted()], awaiting: [...awaiting] };
    if (request.awaiting.length === 0 && request.next.length === 0) return;
    const bytes = encodeSyncRequest(request);
    const peers = network.peers().filter((peer) => isMember(this.ports.membership, peer));
    await Promise.all(peers.map((peer) => this.askPeer(network, peer, bytes)));
  }

  private async askPeer(network: Network, peer: Uint8Array, request: Uint8Array): Promise<void> {
    try {
      const options = { signal: this.stop, timeoutMs: SYNC_TIMEOUT_MS };
      const answer = await network.request(peer, SYNC_PROTOCOL, request, options);
      for (const message of decodeSyncAnswer(answer)) this.hearing.hear(peer, message);
    } catch (error) {
      this.ports.log.debug("a member did not answer", { from: toHex(peer).slice(0, 16), error: String(error) });
    }
  }

  private async answer(from: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
    if (!isMember(this.ports.membership, from))
      throw new IpdmError("NOT_A_MEMBER", "only members of the domain may ask", { kind: "unreachable" });
    return encodeSyncAnswer(await syncAnswer(this.book, this.ports.recall, decodeSyncRequest(bytes)));
  }
}
