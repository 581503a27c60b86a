/**
 * The payload of a record as Kafka's record format v2 has it and Redpanda's SDKs exchange it: key length, key, value length,
 * value, number of headers, and for each of them key length, key, value length, value. Lengths and the number are zigzag
 * varints of at most 10 bytes; a length below 0 says that there is none.
 */

/** Bytes before and after the value in a payload with no key and no headers. */
const NO_KEY = 1;
const NO_HEADERS = 1;
const VARINT_BYTES_MAX = 10;

/** Bytes of the payload of a record with that value, no key and no headers. */
export function payloadBytes(value: number): number {
  return NO_KEY + varintBytes(value) + value + NO_HEADERS;
}

/** Writes such a payload to the beginning of `target`, which is long enough; its length. */
export function writePayload(target: Uint8Array, value: Uint8Array): number {
  let at = 0;
  target[at++] = 1; // -1: there is no key
  let rest = 2 * value.length; // zigzag of what is not negative
  while (rest >= 0x80) {
    target[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[at++] = rest;
  target.set(value, at);
  at += value.length;
  target[at++] = 0;
  return at;
}

/** The value of a payload, a view; null where it has none. `undefined` for bytes that are no payload, or more than one. */
export function valueOfPayload(payload: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null | undefined {
  const reader = new PayloadReader(payload);
  if (reader.sized() === undefined) return undefined;
  const value = reader.sized();
  const headers = reader.varint();
  if (value === undefined || headers === undefined) return undefined;
  for (let i = 0n; i < headers; i++) if (reader.sized() === undefined || reader.sized() === undefined) return undefined;
  return reader.isAtEnd ? value : undefined;
}

/** The topic that the options of a write name: nothing, or byte 1, a length and a name. `undefined` for other bytes. */
export function topicOfOptions(options: Uint8Array<ArrayBuffer>): Uint8Array | null | undefined {
  if (options.length === 0) return null;
  if (options[0] !== 1) return undefined;
  const reader = new PayloadReader(options.subarray(1));
  const topic = reader.sized();
  return reader.isAtEnd && topic !== null ? topic : undefined;
}

class PayloadReader {
  private readonly bytes: Uint8Array<ArrayBuffer>;
  private at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** Bytes behind their length; null for a length below 0. `undefined` where the payload ends before they do. */
  sized(): Uint8Array<ArrayBuffer> | null | undefined {
    const length = this.varint();
    if (length === undefined) return undefined;
    if (length < 0n) return null;
    if (length > BigInt(this.bytes.length - this.at)) return undefined;
    const from = this.at;
    this.at += Number(length);
    return this.bytes.subarray(from, this.at);
  }

  varint(): bigint | undefined {
    let value = 0n;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.bytes[this.at];
      if (byte === undefined) return undefined;
      this.at++;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return zigzag(BigInt.asUintN(64, value));
    }
    return undefined;
  }
}

function zigzag(value: bigint): bigint {
  return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = 2 * value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count++;
  return count;
}
