import { CID } from "multiformats/cid";
import { z } from "zod";
import { IpdmError } from "../core/errors.ts";

/** A link to another block. */
export const link = z.custom<CID>((value) => CID.asCID(value) !== null, "a link");
/** 32 bytes: a SHA-256 digest or an Ed25519 public key. */
export const bytes32 = z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === 32, "32 bytes");
/** An Ed25519 signature. */
export const bytes64 = z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === 64, "64 bytes");
/** Any bytes, up to a megabyte. */
export const someBytes = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length <= 1 << 20,
  "bytes",
);
/** A count or a position: a whole number from 0 to 2^53 - 1. */
export const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
/** A name of a task, source, output or domain as the configuration allows it, with an optional port. */
export const name = z.string().min(1).max(200);

/** Parses a node that came from outside. Throws `NODE_MALFORMED`, naming what it should have been and where it differs. */
export function parseNode<T>(schema: z.ZodType<T>, what: string, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw new IpdmError("NODE_MALFORMED", `not a ${what}${place}: ${issue?.message ?? "malformed"}`, {
    kind: "verification",
    where: what,
  });
}
