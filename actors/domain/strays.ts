import type { CID } from "multiformats/cid";
import { toHex } from "../../src/core/bytes.ts";
import type { Message } from "./messages.ts";

/** Messages of one member that may wait for what they are about; the oldest go first, and sync brings them again. */
export const STRAYS_PER_MEMBER_MAX = 128;

/** A message that came before the slot or statement that it is about. */
export interface Stray {
  readonly from: Uint8Array;
  readonly message: Message;
}

/**
 * Messages about slots and statements that this node does not know yet. Nothing is kept under a link that only one member
 * has named but here, where each member has its own bounded room: junk of one costs the others nothing.
 */
export class Strays {
  private readonly members = new Map<string, { readonly awaits: string; readonly stray: Stray }[]>();

  /** Keeps a message until `awaits` is known. It takes room of the member that sent it: signed votes can be repeated by anyone. */
  keep(awaits: CID, stray: Stray): void {
    const key = toHex(stray.from);
    const kept = this.members.get(key) ?? [];
    kept.push({ awaits: awaits.toString(), stray });
    if (kept.length > STRAYS_PER_MEMBER_MAX) kept.shift();
    this.members.set(key, kept);
  }

  /** Takes out what waited for a link, each member's messages in the order they came. */
  take(awaits: CID): Stray[] {
    const wanted = awaits.toString();
    const taken: Stray[] = [];
    for (const [member, kept] of this.members) {
      if (!kept.some((item) => item.awaits === wanted)) continue;
      taken.push(...kept.flatMap((item) => (item.awaits === wanted ? [item.stray] : [])));
      this.members.set(
        member,
        kept.filter((item) => item.awaits !== wanted),
      );
    }
    return taken;
  }

  /** Messages kept now. */
  get size(): number {
    return [...this.members.values()].reduce((sum, kept) => sum + kept.length, 0);
  }
}
