import { inItem, missing, told } from "./fault";
import { numberOf } from "./hex";
import { Host } from "../../sandbox/sdk/index";
import { put } from "./field";
import { keccak256 } from "./keccak";
import { Senders } from "./level";
import { contentLength, contentOf, writeHeader, writeNumber } from "./rlp";
import { encodeUnsigned, Tx } from "./transaction";
import { scratchRoom } from "./trie";

const ADDRESS_ITEM: usize = 21;
const BUFFER = memory.data(64, 16);
const HASH = memory.data(32, 16);
const SIGNATURE = memory.data(80, 16);
const KEY = memory.data(64, 16);
const CHAIN = memory.data(16, 8);

/** Where a transaction's sender lies, 20 bytes: as the JSON claims, or from the signature. */
export function senderOf(transaction: usize, senders: i32, index: i32): usize {
  inItem("transaction", index);
  if (senders == Senders.RECOVER) return recover(transaction);
  const claimed = <usize>load<u32>(transaction, Tx.FROM);
  if (claimed == 0) missing("from");
  return claimed + 1;
}

/**
 * The sender's address: the end of the hash of the public key that the signature of what was signed tells (yellow paper, appendix F).
 * Legacy transactions say 27 or 28 for the parity, or with their chain's id in it 35 or 36 and twice that id (EIP-155).
 */
function recover(transaction: usize): usize {
  const isLegacy = load<u32>(transaction, Tx.KIND) == 0;
  const v = numberOf(transaction + (isLegacy ? Tx.V : Tx.PARITY), "v");
  let parity = v;
  let chainBytes: usize = 0;
  if (isLegacy) {
    if (v >= 35) chainBytes = writeNumber(CHAIN, (v - 35) >> 1) - CHAIN;
    parity = v >= 35 ? (v - 35) & 1 : v - 27;
  }
  if (parity > 1) told().text("its v is ").number(v).text(", which no signature has").fail("ETH_SIGNATURE_INVALID");
  const scratch = scratchRoom();
  const end = encodeUnsigned(transaction, CHAIN, chainBytes, scratch);
  keccak256(scratch, end - scratch, HASH);
  scalar(transaction + Tx.R, SIGNATURE);
  scalar(transaction + Tx.S, SIGNATURE + 32);
  store<u8>(SIGNATURE, <u8>parity, 64);
  if (Host.secp256k1Recover(HASH, SIGNATURE, KEY) == 0)
    told().text("its signature tells no sender").fail("ETH_SIGNATURE_INVALID");
  keccak256(KEY, 64, HASH);
  memory.copy(BUFFER, HASH + 12, 20);
  return BUFFER;
}

function scalar(field: usize, to: usize): void {
  const item = <usize>load<u32>(field);
  const length = contentLength(item, <usize>load<u32>(field, 4));
  memory.fill(to, 0, 32);
  memory.copy(to + 32 - length, contentOf(item), length);
}

/** Where the address of the contract lies that a sender made with a nonce: the end of the hash of both (yellow paper, section 7). */
export function contractOf(sender: usize, nonce: usize): usize {
  const length = ADDRESS_ITEM + <usize>load<u32>(nonce, 4);
  // The sender may lie in a buffer of this file.
  const address = writeHeader(writeHeader(KEY, length, 0xc0), 20, 0x80);
  memory.copy(address, sender, 20);
  const end = put(address + 20, nonce);
  keccak256(KEY, end - KEY, HASH);
  return HASH + 12;
}
