import { allocate } from "../../sandbox/sdk/index";
import { malformed } from "../json/place";
import { decodeBase58, encodeBase58 } from "./base58";

export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** Characters of 32 bytes in Base58: least, most. */
export const KEY_TEXT_MIN = 32;
export const KEY_TEXT_MAX = 44;
/** Characters that 64 bytes have in Base58: least, most. */
export const SIGNATURE_TEXT_MIN = 64;
export const SIGNATURE_TEXT_MAX = 88;
/** Most characters of an instruction's data: those of 10 KiB, the most that a program can pass on (agave `MAX_INSTRUCTION_DATA_LEN`). */
export const DATA_TEXT_MAX = 14_000;
export const DATA_BYTES_MAX = 10_240;

/** A public key: its text, its bytes, or both. */
@unmanaged
export class Key {
  text: usize;
  textLength: i32;
  bytes: usize;

  /** Address of its Base58 text, {@link textLength} bytes. */
  toText(): usize {
    if (this.text == 0) {
      this.text = allocate(64);
      this.textLength = encodeBase58(this.bytes, KEY_BYTES, this.text);
    }
    return this.text;
  }

  /** Address of its 32 bytes. */
  toBytes(): usize {
    if (this.bytes == 0) {
      const bytes = allocate(KEY_BYTES);
      if (decodeBase58(this.text, this.textLength, bytes, KEY_BYTES) != KEY_BYTES)
        malformed(this.text, "no key of 32 bytes in Base58");
      this.bytes = bytes;
    }
    return this.bytes;
  }
}

/** An instruction as a message or another instruction makes it. */
@unmanaged
export class Instruction {
  /** Number of the program's key among the transaction's. */
  program: i32;
  /** Numbers of its accounts' keys, a byte each. */
  accounts: usize;
  accountCount: i32;
  private bytes: usize;
  private length: i32;
  /** Its data in Base58, where they came so. */
  text: usize;
  textLength: i32;
  /** Its place: the instruction of the message, and among those that it led to, -1 for itself. */
  outer: i32;
  inner: i32;
  /** How deep it lies: 1 for those of the message; 0 where nobody says. */
  depth: i32;

  setData(bytes: usize, length: i32): void {
    this.bytes = bytes;
    this.length = length;
  }

  /** Address of its data. */
  data(): usize {
    if (this.bytes == 0) {
      const target = allocate(<usize>this.textLength + 1);
      const length = decodeBase58(this.text, this.textLength, target, DATA_BYTES_MAX);
      if (length < 0) malformed(this.text, "data that are no Base58");
      this.setData(target, length);
    }
    return this.bytes;
  }

  dataLength(): i32 {
    this.data();
    return this.length;
  }

  /** Number of an account's key, or -1 where it has fewer. */
  @inline
  account(index: i32): i32 {
    return index < this.accountCount ? <i32>load<u8>(this.accounts + index) : -1;
  }
}

/** A transaction with what the node says came of it. Addresses are 0 where there is nothing. */
@unmanaged
export class Transaction {
  index: i32;
  /** -1 for a legacy one. */
  version: i32;

  /** The message in bytes, where it came so. */
  message: usize;
  messageLength: i32;
  /** The message's parts as JSON. */
  keysAt: usize;
  blockhashAt: usize;
  instructionsAt: usize;
  lookupsAt: usize;

  /** The array of signatures as JSON, or their bytes one after the other. */
  signaturesAt: usize;
  signatures: usize;
  signatureCount: i32;
  /** Text of the first one. */
  id: usize;
  idLength: i32;

  requiredSignatures: i32;
  readonlySigned: i32;
  readonlyUnsigned: i32;

  /** All keys: those of the message, then those loaded from tables, writable ones first. */
  keys: usize;
  keyCount: i32;
  staticCount: i32;
  /** Keys that the message takes from tables. */
  lookedUpWritable: i32;
  lookedUpReadonly: i32;

  /** Where its instructions begin in the block's list. */
  firstInstruction: i32;
  instructionCount: i32;
  firstInner: i32;
  innerCount: i32;

  /** What the node says of it, as JSON. */
  errAt: usize;
  feeAt: usize;
  unitsAt: usize;
  innerAt: usize;
  preBalancesAt: usize;
  postBalancesAt: usize;
  preTokensAt: usize;
  postTokensAt: usize;
  writableAt: usize;
  readonlyAt: usize;
  isFailed: bool;

  @inline
  key(index: i32): Key {
    return changetype<Key>(this.keys + <usize>index * offsetof<Key>());
  }

  /** Address of the text of its first signature, by which it is known. */
  idText(): usize {
    if (this.id == 0) {
      this.id = allocate(128);
      this.idLength = encodeBase58(this.signatures, SIGNATURE_BYTES, this.id);
    }
    return this.id;
  }
}
