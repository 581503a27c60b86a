import { hash } from "node:crypto";
import type { Hash, Log } from "../core/ports.ts";

/** SHA-256 by Node.js, what an adapter uses unless it is given another. */
export const nodeSha256: Hash = (bytes) => hash("sha256", bytes, "buffer");

/** Says nothing. */
export const quietLog: Log = { debug() {}, info() {}, warn() {} };
