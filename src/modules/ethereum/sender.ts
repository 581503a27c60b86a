import { inItem, missing } from "./fault";
import { put } from "./field";
import { keccak256 } from "./keccak";
import { writeHeader } from "./rlp";
import { Tx } from "./transaction";

const ADDRESS_ITEM: usize = 21;
const BUFFER = memory.data(64, 16);
const HASH = memory.data(32, 16);

/** Where a transaction's sender lies, 20 bytes. */
export function senderOf(transaction: usize, senders: i32, index: i32): usize {
  const claimed = <usize>load<u32>(transaction, Tx.FROM);
  if (claimed == 0) {
    inItem("transaction", index);
    missing("from");
  }
  return claimed + 1;
}

/** Where the address of the contract lies that a sender made with a nonce: the end of the hash of both (yellow paper, section 7). */
export function contractOf(sender: usize, nonce: usize): usize {
  const length = ADDRESS_ITEM + <usize>load<u32>(nonce, 4);
  const address = writeHeader(writeHeader(BUFFER, length, 0xc0), 20, 0x80);
  memory.copy(address, sender, 20);
  const end = put(address + 20, nonce);
  keccak256(BUFFER, end - BUFFER, HASH);
  return HASH + 12;
}
