import { hash } from "node:crypto";
import type { Hash, Log } from "../core/ports.ts";

const DIGEST_BYTES = 32;

/** SHA-256 by `node:crypto`, one shot. Its digest comes as a text of bytes: a buffer of its own costs more than hashing a small block. */
export const sha256: Hash = (bytes) => {
  const text = hash("sha256", bytes, "binary");
  const digest = new Uint8Array(DIGEST_BYTES);
  for (let at = 0; at < DIGEST_BYTES; at++) digest[at] = text.charCodeAt(at);
  return digest;
};

/** A log that says nothing. */
export const quietLog: Log = { debug() {}, info() {}, warn() {} };
