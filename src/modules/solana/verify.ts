import { allocate, Host } from "../../sandbox/sdk/index";
import { malformed, Place } from "../json/place";
import { hasValue, nextValue, openArray, skipString } from "../json/scanner";
import { decodeBase58 } from "./base58";
import { Block } from "./block";
import { writeMessage } from "./message-writer";
import { SIGNATURE_BYTES, Transaction } from "./transaction";

/** Checks every signature of a block over its message, and that no transaction stands in it twice. */
export function verifySignatures(block: Block): void {
  const seen = SeenSignatures.of(block.transactions.count);
  for (let i = 0; i < block.transactions.count; i++) {
    Place.partNumber = i;
    const transaction = block.transaction(i);
    checkHeader(transaction);
    if (transaction.message == 0) {
      readSignatureBytes(transaction);
      writeMessage(block, transaction);
    }
    for (let n = 0; n < transaction.signatureCount; n++) checkSignature(transaction, n);
    if (!seen.add(transaction.signatures)) {
      Place.message()
        .text("it stands in the block twice: signature ")
        .quote(transaction.idText(), transaction.idLength)
        .fail("SOLANA_TRANSACTION_DUPLICATE");
    }
  }
  Place.partNumber = -1;
}

/** What a message's header has to be (agave `sdk/message`, `sanitize`). */
function checkHeader(transaction: Transaction): void {
  const signed = transaction.requiredSignatures;
  const at = transaction.feeAt;
  if (signed == 0 || transaction.signatureCount != signed) malformed(at, "other signatures than its message asks for");
  if (transaction.readonlySigned >= signed) malformed(at, "no writable signer that pays the fee");
  if (signed + transaction.readonlyUnsigned > transaction.staticCount) malformed(at, "fewer keys than its header says");
}

function checkSignature(transaction: Transaction, index: i32): void {
  const key = transaction.key(index);
  // The message has the keys behind its header, so that they need not be decoded again.
  const keys = keysOf(transaction);
  const signature = transaction.signatures + <usize>index * SIGNATURE_BYTES;
  if (Host.ed25519Verify(keys + ((<usize>index) << 5), transaction.message, transaction.messageLength, signature) == 1) return;
  Place.message()
    .text("signature ")
    .number(<u64>index)
    .text(" is not one of ")
    .quote(key.toText(), key.textLength)
    .text(" over its message; the transaction is ")
    .quote(transaction.idText(), 44)
    .text(transaction.idLength > 44 ? "..." : "")
    .fail("SOLANA_SIGNATURE_INVALID");
}

/** Where the first key of a message stands: behind the version, three numbers and the count of keys. */
function keysOf(transaction: Transaction): usize {
  const header = transaction.message + (transaction.version >= 0 ? 4 : 3);
  return header + (transaction.staticCount < 128 ? 1 : 2);
}

/** Signatures of all transactions of a block, to decode into. */
let room: usize = 0;
let roomEnd: usize = 0;
const ROOM: usize = 65_536;

function readSignatureBytes(transaction: Transaction): void {
  const size = <usize>transaction.signatureCount * SIGNATURE_BYTES;
  if (roomEnd - room < size) {
    room = allocate(max(ROOM, size));
    roomEnd = room + max(ROOM, size);
  }
  let target = room;
  room += size;
  transaction.signatures = target;
  for (let p = openArray(transaction.signaturesAt); hasValue(p); ) {
    const end = skipString(p);
    if (decodeBase58(p + 1, end - p - 2, target, SIGNATURE_BYTES) != SIGNATURE_BYTES)
      malformed(p, "no signature of 64 bytes in Base58");
    target += SIGNATURE_BYTES;
    p = nextValue(end);
  }
}

/** A hash table of signatures by their bytes. */
@unmanaged
class SeenSignatures {
  private slots: usize;
  private mask: u32;

  static of(count: i32): SeenSignatures {
    const self = changetype<SeenSignatures>(allocate(offsetof<SeenSignatures>()));
    let slots: u32 = 16;
    while (slots < <u32>count * 2) slots <<= 1;
    self.mask = slots - 1;
    self.slots = allocate((<usize>slots) << 2);
    return self;
  }

  /** False where it is there already. */
  add(signature: usize): bool {
    // Bytes of a point: as good as drawn at random, where they were not chosen to collide; then the table is slow, and fuel ends it.
    let slot = load<u32>(signature, 4) & this.mask;
    while (true) {
      const at = this.slots + ((<usize>slot) << 2);
      const known = load<u32>(at);
      if (known == 0) {
        store<u32>(at, <u32>signature);
        return true;
      }
      if (memory.compare(known, signature, SIGNATURE_BYTES) == 0) return false;
      slot = (slot + 1) & this.mask;
    }
  }
}
