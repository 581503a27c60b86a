import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from "node:crypto";
import { base58btc } from "multiformats/bases/base58";

export const SYSTEM = "11111111111111111111111111111111";
export const VOTE = "Vote111111111111111111111111111111111111111";
export const BUDGET = "ComputeBudget111111111111111111111111111111";
export const TOKEN = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
export const TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb";

const sha256 = (text: string): Uint8Array => new Uint8Array(hash("sha256", text, "buffer"));
const bytesOf = (text: string): Uint8Array => base58btc.baseDecode(text);

/** A made-up key, the same for the same name. */
export function madeKey(name: string): string {
  return base58btc.baseEncode(sha256(`key ${name}`));
}

function signer(name: string): { readonly key: string; readonly secret: KeyObject } {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const secret = createPrivateKey({ key: Buffer.concat([prefix, sha256(name)]), format: "der", type: "pkcs8" });
  const key = createPublicKey(secret).export({ format: "jwk" }).x ?? "";
  return { key: base58btc.baseEncode(Buffer.from(key, "base64url")), secret };
}

/** The key with which a transaction's signer of that name signs. */
export function signerKey(name: string): string {
  return signer(name).key;
}

export interface MadeInstruction {
  readonly program: string;
  readonly accounts?: readonly string[];
  readonly data?: Uint8Array;
}

export interface MadeTransaction {
  readonly signers?: readonly string[];
  readonly instructions: readonly MadeInstruction[];
  /** A version 0 whose keys of these names come from a table. */
  readonly loaded?: { readonly writable: readonly string[]; readonly readonly: readonly string[] };
  readonly inner?: readonly { readonly index: number; readonly instructions: readonly MadeInstruction[] }[];
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** Encodings in which nodes give a transaction with the bytes that were signed. */
export type Encoding = "json" | "base64";

const length = (value: number): number[] =>
  value < 128
    ? [value]
    : value < 16_384
      ? [128 | (value & 127), value >> 7]
      : [128 | (value & 127), 128 | ((value >> 7) & 127), value >> 14];

/** A transaction of a block as `getBlock` gives it, signed by its signers. */
export function madeTransaction(made: MadeTransaction, encoding: Encoding): Record<string, unknown> {
  const signers = (made.signers ?? ["payer"]).map(signer);
  const { loaded, instructions, inner = [] } = made;
  const lookedUp = [...(loaded?.writable ?? []), ...(loaded?.readonly ?? [])];
  const all = [...instructions, ...inner.flatMap((group) => group.instructions)];
  const named = all.flatMap(({ program, accounts = [] }) => [...accounts, program]);
  const keys = [...new Set([...signers.map(({ key }) => key), ...named])].filter((key) => !lookedUp.includes(key));
  const places = [...keys, ...lookedUp];
  const place = (key: string): number => places.indexOf(key);
  const header = {
    numRequiredSignatures: signers.length,
    numReadonlySignedAccounts: 0,
    numReadonlyUnsignedAccounts: 1,
  };
  const recentBlockhash = madeKey("recent");
  const compiled = ({ program, accounts = [], data = new Uint8Array(0) }: MadeInstruction) => ({
    programIdIndex: place(program),
    accounts: accounts.map(place),
    data: base58btc.baseEncode(data),
    stackHeight: null,
  });
  const tables = [
    {
      accountKey: madeKey("table"),
      writableIndexes: (loaded?.writable ?? []).map((_, i) => i + 3),
      readonlyIndexes: (loaded?.readonly ?? []).map((_, i) => 200 + i),
    },
  ];
  const lookups = tables.flatMap(({ accountKey, writableIndexes, readonlyIndexes }) => [
    ...bytesOf(accountKey),
    ...length(writableIndexes.length),
    ...writableIndexes,
    ...length(readonlyIndexes.length),
    ...readonlyIndexes,
  ]);
  const message = Uint8Array.from([
    ...(loaded === undefined ? [] : [0x80]),
    ...[signers.length, 0, 1],
    ...length(keys.length),
    ...keys.flatMap((key) => [...bytesOf(key)]),
    ...bytesOf(recentBlockhash),
    ...length(instructions.length),
    ...instructions.flatMap(({ program, accounts = [], data = new Uint8Array(0) }) => [
      place(program),
      ...length(accounts.length),
      ...accounts.map(place),
      ...length(data.length),
      ...data,
    ]),
    ...(loaded === undefined ? [] : [...length(1), ...lookups]),
  ]);
  const signatures = signers.map(({ secret }) => sign(null, message, secret));
  const wire = Buffer.concat([Uint8Array.from(length(signatures.length)), ...signatures, message]);
  const plain = {
    signatures: signatures.map((signature) => base58btc.baseEncode(signature)),
    message: {
      header,
      accountKeys: keys,
      recentBlockhash,
      instructions: instructions.map(compiled),
      ...(loaded === undefined ? {} : { addressTableLookups: tables }),
    },
  };
  const balances = places.map((_, i) => 1_000_000_000 + i);
  return {
    transaction: encoding === "json" ? plain : [wire.toString("base64"), "base64"],
    version: loaded === undefined ? "legacy" : 0,
    meta: {
      err: null,
      fee: 5000 * signers.length,
      computeUnitsConsumed: 150,
      preBalances: balances,
      postBalances: balances.map((balance, i) => (i === 0 ? balance - 5000 * signers.length : balance)),
      innerInstructions: inner.map(({ index, instructions: list }) => ({ index, instructions: list.map(compiled) })),
      logMessages: ['Program log: "quoted \\ {[', "ü"],
      preTokenBalances: [],
      postTokenBalances: [],
      loadedAddresses: { writable: loaded?.writable ?? [], readonly: loaded?.readonly ?? [] },
      ...made.meta,
    },
  };
}
