/** Plain data beside a log sentence. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Narration: one sentence and its fields. It never changes what the runtime does. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
}

/** SHA-256 (FIPS 180-4) of the bytes: 32 bytes. */
export type Hash = (bytes: Uint8Array) => Uint8Array;

/** An Ed25519 key pair (RFC 8032) that signs. The public key is the 32 raw bytes. */
export interface Signer {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** Checks an Ed25519 signature (RFC 8032): 32-byte public key, 64-byte signature. */
export type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** Time as a runtime sees it. A simulation gives its own. */
export interface Clock {
  /** Milliseconds since 1970, a whole number. */
  now(): number;
  /** Calls `run` once, after about `delayMs`; what comes back takes it off. */
  after(delayMs: number, run: () => void): () => void;
}

/** Uniform random numbers of [0, 1). What one of them decides is journalled. */
export type Entropy = () => number;
