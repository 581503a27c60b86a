import { readFile, stat } from "node:fs/promises";
import { CID } from "multiformats/cid";
import { allForProduction, loadWindowKeys } from "../../proofs/groth16/window-keys.ts";
import { type Expectations, type Verdict, verifyReceipt } from "../../proofs/receipt/verify.ts";
import { isRowFile } from "../../proofs/row/row-file.ts";
import { type RowVerdict, verifyRow } from "../../proofs/row/verify-row.ts";
import { fromHex } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import { readJson } from "../core/json.ts";
import { sha256, verifyEd25519 } from "../node.ts";
import { readReceiptFile } from "./receipt-file.ts";

/** What the reader of a receipt knows beforehand. */
export interface VerifyFileOptions {
  /** Keys that may sign: a JSON file of them, or the Ed25519 public keys themselves as 64 hexadecimal digits each. */
  readonly trust?: string | readonly string[] | undefined;
  /** The CID of the result that the receipt should be about. */
  readonly expect?: string | undefined;
}

/** A verdict, and whether the zero-knowledge proofs were checked with a key of a ceremony (`false`: development keys). */
export interface FileVerdict extends Verdict {
  readonly production: boolean;
  /** Size of the file. */
  readonly bytes: number;
}

/** Most bytes of a file of trusted keys. */
const KEYS_BYTES_MAX = 1024 * 1024;

/**
 * Checks a receipt's file offline, without executing anything again. What is wrong with the receipt stands in the verdict
 * (`ok`, `fault`); thrown is only what stops the check: `RECEIPT_MISSING`, `RECEIPT_UNREADABLE`, `TRUST_UNREADABLE`, `USAGE` (the
 * expected result is no CID, or the file is a saved row; all of kind `usage`) and `CIRCUIT_KEY_MISMATCH` (kind `verification`).
 */
export async function verifyReceiptFile(path: string, options: VerifyFileOptions = {}): Promise<FileVerdict> {
  const expected = await expectations(options);
  const bytes = await readReceiptFile(path);
  if (isRowFile(sha256, bytes))
    throw new IpdmError("USAGE", `${path} is a saved row, and a receipt is needed`, {
      kind: "usage",
      hint: "give the path of the receipt.car that it was saved from",
    });
  return receiptVerdict(bytes, expected);
}

/** What a file is, and what it was found to show. */
export type AnyVerdict =
  | { readonly kind: "receipt"; readonly verdict: FileVerdict }
  | { readonly kind: "row"; readonly verdict: RowVerdict };

/** Checks a file that is a receipt, or a row saved from one, as {@link verifyReceiptFile} does. A damaged file counts as a receipt. */
export async function verifyFile(path: string, options: VerifyFileOptions = {}): Promise<AnyVerdict> {
  const expected = await expectations(options);
  const bytes = await readReceiptFile(path);
  if (!isRowFile(sha256, bytes)) return { kind: "receipt", verdict: await receiptVerdict(bytes, expected) };
  return { kind: "row", verdict: verifyRow({ hash: sha256, verify: verifyEd25519 }, bytes, expected) };
}

async function receiptVerdict(bytes: Uint8Array, expected: Expectations): Promise<FileVerdict> {
  const keys = await loadWindowKeys();
  const ports = { hash: sha256, verify: verifyEd25519, keys };
  return { ...verifyReceipt(ports, bytes, expected), production: allForProduction(keys), bytes: bytes.length };
}

async function expectations({ trust, expect }: VerifyFileOptions): Promise<Expectations> {
  const trusted =
    trust === undefined ? undefined : typeof trust === "string" ? await readTrusted(trust) : keySet(trust);
  if (expect !== undefined) checkExpected(expect);
  return { trusted, result: expect };
}

function checkExpected(result: string): void {
  try {
    CID.parse(result);
  } catch (cause) {
    throw new IpdmError("USAGE", `the expected result is a CID, not ${JSON.stringify(result.slice(0, 100))}`, {
      kind: "usage",
      hint: "`ipdm-runtime run` prints it as `result`",
      cause,
    });
  }
}

/** Reads trusted keys: a JSON array of 64-digit hexadecimal keys, or an object with such an array under `keys`. */
async function readTrusted(path: string): Promise<ReadonlySet<string>> {
  const parsed = jsonOf(await keysText(path), path);
  const list = Array.isArray(parsed) ? parsed : (parsed as { keys?: unknown } | null)?.keys;
  return keySet(Array.isArray(list) ? list : [], path);
}

async function keysText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > KEYS_BYTES_MAX) throw new RangeError(`${size} bytes are more than a file of keys may have`);
    return await readFile(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : message;
    throw new IpdmError("TRUST_UNREADABLE", `the trusted keys cannot be read from ${path}: ${why}`, {
      kind: "usage",
      where: path,
      hint: "`ipdm-runtime run` writes such a file, keys.json, beside the receipt",
      cause,
    });
  }
}

function jsonOf(text: string, path: string): unknown {
  try {
    return readJson(text.replace(/^\u{feff}/u, ""));
  } catch (cause) {
    throw notKeys("the file of trusted keys is not JSON", path, cause);
  }
}

function notKeys(message: string, where: string | undefined, cause?: unknown): IpdmError {
  return new IpdmError("TRUST_UNREADABLE", message, {
    kind: "usage",
    hint: 'for example {"keys": ["…64 digits…"]}',
    ...(where === undefined ? {} : { where }),
    ...(cause === undefined ? {} : { cause }),
  });
}

function keySet(list: readonly unknown[], where?: string): ReadonlySet<string> {
  const keys = list.map((item) => (typeof item === "string" ? item.toLowerCase() : ""));
  if (keys.length > 0 && keys.every((key) => fromHex(key)?.length === 32)) return new Set(keys);
  throw notKeys("trusted keys are a JSON array of Ed25519 public keys, 64 hexadecimal digits each", where);
}
