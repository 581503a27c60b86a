import { isNull } from "../json/characters";
import { Place, malformed } from "../json/place";
import {
  hasMember,
  isArray,
  isObject,
  isString,
  isText,
  nextMember,
  nextValue,
  openArray,
  openObject,
  readInteger,
  skipName,
  skipString,
  skipValue,
  toValue,
} from "../json/scanner";
import { allocate } from "../../sandbox/sdk/index";
import { decodeBase64 } from "./base64";
import { Block } from "./block";
import { readInstructions } from "./instruction-json";
import { readHeader, readKeys, readLookups, readSignatures } from "./message-json";
import { Transaction } from "./transaction";
import { readWire } from "./transaction-wire";

/** Reads a transaction of a block with what the node says came of it, and returns where it ends. */
export function readTransaction(block: Block, transaction: Transaction, at: usize): usize {
  let seen = 0;
  let versionAt: usize = 0;
  let wireAt: usize = 0;
  let p = openObject(at);
  while (hasMember(p)) {
    const name = p;
    const end = skipName(p);
    const value = toValue(end);
    const known = isText(name, end, "transaction") ? 1 : isText(name, end, "meta") ? 2 : isText(name, end, "version") ? 4 : 0;
    if ((seen & known) != 0) malformed(name, "a name that stands there twice");
    seen |= known;
    if (known == 1) {
      if (isString(value)) unsupported("base58");
      if (isArray(value)) wireAt = value;
      p = isArray(value) ? skipValue(value) : readPlain(transaction, value);
    } else if (known == 2) {
      if (isNull(value)) malformed(value, "no meta: the node has not kept what came of it");
      p = readMeta(transaction, value);
    } else {
      if (known == 4) versionAt = value;
      p = skipValue(value);
    }
    p = nextMember(p);
  }
  if ((seen & 3) != 3) malformed(at, "no transaction, or no meta");
  transaction.version = versionOf(versionAt, transaction);
  transaction.firstInstruction = block.instructions.count;
  if (wireAt != 0) {
    const encoded = decodeWire(wireAt);
    readWire(block, transaction, encoded.at, encoded.length);
  } else {
    readSignatures(transaction);
    readLookups(transaction);
    readKeys(transaction);
    readInstructions(block, transaction);
  }
  transaction.instructionCount = block.instructions.count - transaction.firstInstruction;
  return p + 1;
}

/** Stops the call: the block was asked for in a form that leaves out what signatures are over. */
export function unsupported(encoding: string): void {
  Place.message()
    .text("the encoding ")
    .text(encoding)
    .text(" cannot be checked: ask for encoding json or base64")
    .fail("SOLANA_ENCODING_UNSUPPORTED");
}

/** Version of a transaction: -1 for a legacy one. A node that was asked for legacy ones only does not say it. */
function versionOf(at: usize, transaction: Transaction): i32 {
  if (at == 0) return transaction.lookupsAt != 0 ? 0 : -1;
  if (isString(at)) {
    if (!isText(at, skipString(at), "legacy")) malformed(at, "no version");
    return -1;
  }
  const version = readInteger(at);
  if (version != 0) {
    Place.message().text("version ").number(version).text(" of transactions is not known").fail("SOLANA_VERSION_UNSUPPORTED");
  }
  return 0;
}

/** Bytes somewhere in memory. */
@unmanaged
class Bytes {
  at: usize;
  length: i32;
}

/** The bytes of `[text, "base64"]`. */
function decodeWire(at: usize): Bytes {
  const text = openArray(at);
  const end = skipString(text);
  const encoding = nextValue(end);
  if (!isString(encoding)) malformed(encoding, "no encoding");
  const encodingEnd = skipString(encoding);
  if (!isText(encoding, encodingEnd, "base64")) unsupported(isText(encoding, encodingEnd, "base58") ? "base58" : "of this name");
  const bytes = changetype<Bytes>(allocate(offsetof<Bytes>()));
  const length = end - text - 2;
  bytes.at = allocate(length + 4);
  bytes.length = decodeBase64(text + 1, length, bytes.at);
  if (bytes.length < 0) malformed(text, "no Base64");
  return bytes;
}

function readPlain(transaction: Transaction, at: usize): usize {
  let seen = 0;
  let p = openObject(at);
  while (hasMember(p)) {
    const name = p;
    const end = skipName(p);
    const value = toValue(end);
    const known = isText(name, end, "signatures") ? 1 : isText(name, end, "message") ? 2 : isText(name, end, "accountKeys") ? 4 : 0;
    if ((seen & known) != 0) malformed(name, "a name that stands there twice");
    seen |= known;
    if (known == 4) unsupported("accounts");
    if (known == 1) transaction.signaturesAt = value;
    p = nextMember(known == 2 ? readMessage(transaction, value) : skipValue(value));
  }
  if (seen != 3) malformed(at, "no signatures, or no message");
  return p + 1;
}

function readMessage(transaction: Transaction, at: usize): usize {
  let seen = 0;
  let p = openObject(at);
  while (hasMember(p)) {
    const name = p;
    const end = skipName(p);
    const value = toValue(end);
    let known = 0;
    if (isText(name, end, "accountKeys")) {
      transaction.keysAt = value;
      known = 1;
    } else if (isText(name, end, "instructions")) {
      transaction.instructionsAt = value;
      known = 2;
    } else if (isText(name, end, "recentBlockhash")) {
      transaction.blockhashAt = value;
      known = 4;
    } else if (isText(name, end, "header")) {
      readHeader(transaction, value);
      known = 8;
    } else if (isText(name, end, "addressTableLookups")) {
      if (!isNull(value)) transaction.lookupsAt = value;
      known = 16;
    }
    if ((seen & known) != 0) malformed(name, "a name that stands there twice");
    seen |= known;
    p = nextMember(skipValue(value));
  }
  // What `jsonParsed` gives has no header.
  if ((seen & 15) == 7) unsupported("jsonParsed");
  if ((seen & 15) != 15) malformed(at, "a message without header, accountKeys, recentBlockhash or instructions");
  return p + 1;
}

function readMeta(transaction: Transaction, at: usize): usize {
  let seen = 0;
  let p = openObject(at);
  while (hasMember(p)) {
    const name = p;
    const end = skipName(p);
    const value = toValue(end);
    const known = metaMember(transaction, name, end, isNull(value) ? 0 : value);
    if ((seen & known) != 0) malformed(name, "a name that stands there twice");
    seen |= known;
    p = known == 512 && isObject(value) ? readLoaded(transaction, value) : skipValue(value);
    p = nextMember(p);
  }
  if ((seen & 3) != 3) malformed(at, "a meta without err or fee");
  transaction.isFailed = transaction.errAt != 0;
  return p + 1;
}

/** Notes where a member stands; its bit, or 0 for a member that is not looked at. */
function metaMember(transaction: Transaction, name: usize, end: usize, value: usize): i32 {
  if (isText(name, end, "err")) {
    transaction.errAt = value;
    return 1;
  }
  if (isText(name, end, "fee")) {
    if (value != 0) readInteger(value);
    transaction.feeAt = value;
    return value == 0 ? 0 : 2;
  }
  if (isText(name, end, "computeUnitsConsumed")) {
    if (value != 0) readInteger(value);
    transaction.unitsAt = value;
    return 4;
  }
  if (isText(name, end, "innerInstructions")) {
    transaction.innerAt = value;
    return 8;
  }
  if (isText(name, end, "preBalances")) {
    transaction.preBalancesAt = value;
    return 16;
  }
  if (isText(name, end, "postBalances")) {
    transaction.postBalancesAt = value;
    return 32;
  }
  if (isText(name, end, "preTokenBalances")) {
    transaction.preTokensAt = value;
    return 64;
  }
  if (isText(name, end, "postTokenBalances")) {
    transaction.postTokensAt = value;
    return 128;
  }
  return isText(name, end, "loadedAddresses") ? 512 : 0;
}

function readLoaded(transaction: Transaction, at: usize): usize {
  let p = openObject(at);
  while (hasMember(p)) {
    const end = skipName(p);
    const value = toValue(end);
    if (isText(p, end, "writable")) {
      if (transaction.writableAt != 0) malformed(p, "a name that stands there twice");
      transaction.writableAt = value;
    } else if (isText(p, end, "readonly")) {
      if (transaction.readonlyAt != 0) malformed(p, "a name that stands there twice");
      transaction.readonlyAt = value;
    }
    p = nextMember(skipValue(value));
  }
  return p + 1;
}
