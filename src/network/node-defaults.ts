import { hash } from "node:crypto";
import type { Hash, Log } from "../core/ports.ts";

/** SHA-256 by `node:crypto`, one shot. */
export const sha256: Hash = (bytes) => hash("sha256", bytes, "buffer");

/** A log that says nothing. */
export const quietLog: Log = { debug() {}, info() {}, warn() {} };
