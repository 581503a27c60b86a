import type { CID } from "multiformats/cid";
import type { Place } from "../../src/consensus/slot.ts";
import {
  encodeMessage,
  type Message,
  SYNC_ANSWER_BYTES_MAX,
  SYNC_MESSAGES_MAX,
  SYNC_SLOTS_PER_TASK,
  type SyncRequest,
} from "./messages.ts";
import type { KnownCertificate, KnownSlot, SlotBook, SlotRecord } from "./slot-book.ts";

/** A recorded slot that is no longer in memory, from this node's store. */
export type Recall = (
  place: Place,
) => Promise<{ readonly slot: KnownSlot; readonly certificate: KnownCertificate } | undefined>;

/** What a node answers a member that missed something: slots it wants next, and all that is known of slots it waits for. */
export async function syncAnswer(
  book: SlotBook,
  recall: Recall,
  { next, awaiting }: SyncRequest,
): Promise<readonly Uint8Array[]> {
  const answer = new Answer();
  for (const { slot, place } of awaiting) {
    const record = book.find(slot);
    if (record !== undefined) {
      answer.add(heardOf(record));
      continue;
    }
    const recalled = await recall(place);
    if (recalled?.slot.cid.equals(slot) === true) answer.add([certificateMessage(recalled.certificate)]);
  }
  for (const first of next) {
    for (let ahead = 0; ahead < SYNC_SLOTS_PER_TASK && !answer.full; ahead++) {
      const place = { ...first, seq: first.seq + ahead };
      const known = book.at(place);
      const recalled = known === undefined ? await recall(place) : undefined;
      const slot = known ?? recalled?.slot;
      if (slot === undefined) break;
      const heard = recalled === undefined ? heardOf(book.get(slot.cid)) : [certificateMessage(recalled.certificate)];
      answer.add([{ kind: "slot", slot: slot.bytes }, ...heard]);
    }
  }
  return answer.messages;
}

/** Messages as far as they fit; what does not is asked for again when the first have been used. */
class Answer {
  readonly messages: Uint8Array[] = [];
  full = false;
  private bytes = 0;

  add(messages: readonly Message[]): void {
    for (const message of messages) {
      const encoded = encodeMessage(message);
      if (this.messages.length >= SYNC_MESSAGES_MAX || this.bytes + encoded.length > SYNC_ANSWER_BYTES_MAX)
        this.full = true;
      if (this.full) return;
      this.bytes += encoded.length;
      this.messages.push(encoded);
    }
  }
}

/** Everything that a node has heard of a slot, in the order in which it is of use. */
function heardOf(record: SlotRecord): Message[] {
  const certified = record.certificate.value;
  if (certified !== undefined) return [certificateMessage(certified)];
  const slot = record.known.cid;
  const messages: Message[] = [];
  const statement = record.announced.value;
  if (statement !== undefined)
    messages.push({ kind: "statement", slot, statement }, ...drawMessages(record, statement));
  for (const vote of record.tally.all()) messages.push({ kind: "vote", vote });
  return messages;
}

function drawMessages(record: SlotRecord, statement: CID): Message[] {
  const known = record.statements.get(statement.toString());
  if (known === undefined) return [];
  const challenges = [...known.challenges.values()].map((challenge): Message => ({ kind: "challenge", challenge }));
  const draw = known.draw.value;
  return draw === undefined ? challenges : [...challenges, { kind: "draw", statement, draw }];
}

function certificateMessage({ block }: KnownCertificate): Message {
  return { kind: "certificate", certificate: block.bytes };
}
