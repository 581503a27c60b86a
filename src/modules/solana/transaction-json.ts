import { isNull } from "../json/characters";
import { Place, malformed } from "../json/place";
import {
  integerEnd,
  isArray,
  isObject,
  isString,
  isText,
  nextValue,
  openArray,
  readInteger,
  skipString,
  skipValue,
} from "../json/scanner";
import { allocate } from "../../sandbox/sdk/index";
import { decodeBase64 } from "./base64";
import { Block } from "./block";
import { readInstructions } from "./instruction-json";
import { Key } from "./keys";
import { FORM_BYTES, had, note, noteUnlessNull, readBy, readMembers } from "./members";
import { readHeader, readKeys, readLookups, readSignatures } from "./message-json";
import { Transaction } from "./transaction";
import { readWire } from "./transaction-wire";

const ENTRY = memory.data(FORM_BYTES, 16);
const PLAIN = memory.data(FORM_BYTES, 16);
const MESSAGE = memory.data(FORM_BYTES, 16);
const META = memory.data(FORM_BYTES, 16);
const LOADED = memory.data(FORM_BYTES, 16);

/** Fills the forms of this file. */
export function openTransactions(): void {
  readBy(ENTRY, Key.TRANSACTION, readBody);
  readBy(ENTRY, Key.META, readMeta);
  readBy(ENTRY, Key.VERSION, noteVersion);
  note(PLAIN, Key.SIGNATURES, offsetof<Transaction>("signaturesAt"));
  readBy(PLAIN, Key.MESSAGE, readMessage);
  readBy(PLAIN, Key.ACCOUNT_KEYS, refuseAccounts);
  note(MESSAGE, Key.ACCOUNT_KEYS, offsetof<Transaction>("keysAt"));
  note(MESSAGE, Key.INSTRUCTIONS, offsetof<Transaction>("instructionsAt"));
  note(MESSAGE, Key.RECENT_BLOCKHASH, offsetof<Transaction>("blockhashAt"));
  readBy(MESSAGE, Key.HEADER, readHeader);
  noteUnlessNull(MESSAGE, Key.ADDRESS_TABLE_LOOKUPS, offsetof<Transaction>("lookupsAt"));
  noteUnlessNull(META, Key.ERR, offsetof<Transaction>("errAt"));
  readBy(META, Key.FEE, readFee);
  readBy(META, Key.COMPUTE_UNITS_CONSUMED, readUnits);
  noteUnlessNull(META, Key.INNER_INSTRUCTIONS, offsetof<Transaction>("innerAt"));
  noteUnlessNull(META, Key.PRE_BALANCES, offsetof<Transaction>("preBalancesAt"));
  noteUnlessNull(META, Key.POST_BALANCES, offsetof<Transaction>("postBalancesAt"));
  noteUnlessNull(META, Key.PRE_TOKEN_BALANCES, offsetof<Transaction>("preTokensAt"));
  noteUnlessNull(META, Key.POST_TOKEN_BALANCES, offsetof<Transaction>("postTokensAt"));
  readBy(META, Key.LOADED_ADDRESSES, readLoaded);
  note(LOADED, Key.WRITABLE, offsetof<Transaction>("writableAt"));
  note(LOADED, Key.READONLY, offsetof<Transaction>("readonlyAt"));
}

/** Where the version stands, and the encoded transaction; 0: nowhere. */
let versionAt: usize = 0;
let wireAt: usize = 0;

/** Reads a transaction of a block with what the node says came of it, and returns where it ends. */
export function readTransaction(block: Block, transaction: Transaction, at: usize): usize {
  versionAt = 0;
  wireAt = 0;
  const end = readMembers(at, ENTRY, changetype<usize>(transaction));
  if (!had(Key.TRANSACTION) || !had(Key.META)) malformed(at, "no transaction, or no meta");
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
  return end;
}

function readBody(at: usize, record: usize): usize {
  if (isString(at)) unsupported("base58");
  if (!isArray(at)) return readPlain(at, record);
  wireAt = at;
  return skipValue(at);
}

function noteVersion(at: usize, _record: usize): usize {
  versionAt = at;
  return skipValue(at);
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

function readPlain(at: usize, record: usize): usize {
  const end = readMembers(at, PLAIN, record);
  if (!had(Key.SIGNATURES) || !had(Key.MESSAGE)) malformed(at, "no signatures, or no message");
  return end;
}

function refuseAccounts(at: usize, _record: usize): usize {
  unsupported("accounts");
  return at;
}

function readMessage(at: usize, record: usize): usize {
  const end = readMembers(at, MESSAGE, record);
  const isWhole = had(Key.ACCOUNT_KEYS) && had(Key.INSTRUCTIONS) && had(Key.RECENT_BLOCKHASH);
  // What `jsonParsed` gives has no header.
  if (isWhole && !had(Key.HEADER)) unsupported("jsonParsed");
  if (!isWhole) malformed(at, "a message without header, accountKeys, recentBlockhash or instructions");
  return end;
}

function readMeta(at: usize, record: usize): usize {
  if (isNull(at)) malformed(at, "no meta: the node has not kept what came of it");
  const transaction = changetype<Transaction>(record);
  const end = readMembers(at, META, record);
  if (!had(Key.ERR) || transaction.feeAt == 0) malformed(at, "a meta without err or fee");
  transaction.isFailed = transaction.errAt != 0;
  return end;
}

function readFee(at: usize, record: usize): usize {
  if (isNull(at)) return at + 4;
  readInteger(at);
  changetype<Transaction>(record).feeAt = at;
  return integerEnd;
}

function readUnits(at: usize, record: usize): usize {
  if (isNull(at)) return at + 4;
  readInteger(at);
  changetype<Transaction>(record).unitsAt = at;
  return integerEnd;
}

function readLoaded(at: usize, record: usize): usize {
  return isObject(at) ? readMembers(at, LOADED, record) : skipValue(at);
}
