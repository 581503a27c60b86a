import * as dagCbor from "@ipld/dag-cbor";
import { z } from "zod";
import type { Signer, Verify } from "../core/ports.ts";
import { bytes32, bytes64, count, name, parseNode } from "./ipld-schema.ts";
import { moduleOperator, type Operator } from "./result.ts";

/** Kind of the node, and the text that its signature begins with. */
export const MODULE_ENTRY_KIND = "ipdm/module/1";

/** What a module's name may be: that of names in a configuration. */
export const MODULE_NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** A semantic version (semver.org, 2.0.0) without build metadata: two versions that are equal are the same text. */
export const MODULE_VERSION =
  /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14})(-((0|[1-9]\d{0,14}|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d{0,14}|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?$/;

/** Characters of a version, of a range of versions, and of a description. */
export const MODULE_VERSION_CHARS_MAX = 64;
export const MODULE_RANGE_CHARS_MAX = 256;
export const MODULE_DESCRIPTION_CHARS_MAX = 2000;

/** All of an operator's keys but its kind and what its input says: an entry declares whatever an operator may say, and is run as it declares. */
const form = moduleOperator.omit({ kind: true, time: true }).shape;

const entryBody = {
  v: z.literal(1),
  kind: z.literal(MODULE_ENTRY_KIND),
  name: z.string().regex(MODULE_NAME),
  version: z.string().max(MODULE_VERSION_CHARS_MAX).regex(MODULE_VERSION),
  /** Module, ABI, unit, columns, limits and capabilities, as in a task's operator. */
  ...form,
  /** Bytes of the module. */
  bytes: count,
  /** The price list that fuel is counted in. */
  costTable: name,
  /** For a stateful module: range of the versions whose memory and globals it goes on from; absent where it begins anew. */
  continues: z.string().min(1).max(MODULE_RANGE_CHARS_MAX).optional(),
  description: z.string().max(MODULE_DESCRIPTION_CHARS_MAX),
  /** Ed25519 public key of who publishes it. */
  publisher: bytes32,
};
const entrySchema = z.strictObject({ ...entryBody, signature: bytes64 });

/** A module under a name and a version, as its publisher signs it. */
export type ModuleEntry = z.infer<typeof entrySchema>;

/** An entry before it is signed. */
export type ModuleEntryBody = Omit<ModuleEntry, "signature" | "publisher">;

/** Reads an entry. Throws `NODE_MALFORMED`. It does not check the signature: {@link entrySigned}. */
export function parseModuleEntry(value: unknown): ModuleEntry {
  return parseNode(entrySchema, "module entry", value);
}

/** Signs an entry: Ed25519 by the publisher over dag-cbor `["ipdm/module/1", entry without signature]`. Throws `NODE_MALFORMED`. */
export function signModuleEntry(body: ModuleEntryBody, signer: Signer): ModuleEntry {
  const unsigned = { ...body, publisher: signer.publicKey };
  return parseModuleEntry({ ...unsigned, signature: signer.sign(entryMessage(unsigned)) });
}

/** True when the entry carries the signature of the publisher that it names. */
export function entrySigned(entry: ModuleEntry, verify: Verify): boolean {
  const { signature, ...unsigned } = entry;
  return verify(entry.publisher, entryMessage(unsigned), signature);
}

function entryMessage(unsigned: Omit<ModuleEntry, "signature">): Uint8Array {
  return dagCbor.encode([MODULE_ENTRY_KIND, unsigned]);
}

/**
 * The operator of a task that runs the module as its entry declares it; `time` is the column of its input that has the event time, for
 * modules whose calls can have one.
 */
export function operatorOfEntry(entry: ModuleEntry, time?: string): Extract<Operator, { kind: "module" }> {
  const declared = Object.keys(form).flatMap((key) => {
    const value = entry[key as keyof typeof form];
    return value === undefined ? [] : [[key, value] as const];
  });
  const timed = time !== undefined && callsHaveTime(entry) ? { time } : {};
  // The entry's schema has read every key of the operator's.
  return { kind: "module", ...Object.fromEntries(declared), ...timed } as Extract<Operator, { kind: "module" }>;
}

/** True for a module whose calls have an event time where its input declares one: it may ask for the time, and is called on units. */
export function callsHaveTime({ unit, capabilities }: Pick<ModuleEntry, "unit" | "capabilities">): boolean {
  return unit !== null && capabilities.includes("time");
}
