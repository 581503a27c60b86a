import { REDPANDA_FUNCTIONS } from "../host/redpanda.ts";
import type { Tab } from "../host/tab.ts";
import type { HostFunction } from "../host/table.ts";
import { Stop } from "../stop.ts";
import type { RowCollector, RowTexts } from "./json-rows.ts";
import type { AbiHost } from "./port.ts";
import { payloadBytes, topicOfOptions, valueOfPayload, writePayload } from "./redpanda-record.ts";

/** The module name under which transforms import their host. */
export const REDPANDA_TRANSFORM = "redpanda_transform";

/** What the host answers instead of a size: no batch or no record left, bytes that are no record, a topic that is not written to. */
const NO_ACTIVE_TRANSFORM = -1;
const INVALID_BUFFER = -2;
const INVALID_WRITE = -3;
/** A batch that no producer is known of, and a time that is not known, as Kafka says them. */
const NO_PRODUCER = -1;
const NO_TIMESTAMP = -1n;
const FLAG_TIME = 1;
const MICROS_PER_MILLI = 1000n;

/** Thrown when a transform asks for the batch after the last: it would wait there for ever. */
export class BatchEnd extends Error {}

/** What a transform's host works with. */
export interface RedpandaParts {
  readonly host: AbiHost;
  readonly tab: Tab;
  readonly texts: RowTexts;
  readonly collector: RowCollector;
  /** The call's descriptor (docs/reference/abi.md). */
  readonly descriptor: DataView;
}

/** The host of a transform for one batch of records. */
export class RedpandaEnv {
  private readonly parts: RedpandaParts;
  private readonly firstOffset: bigint;
  private readonly timestamp: bigint;
  private isReading = false;
  private next = 0;

  constructor(parts: RedpandaParts) {
    this.parts = parts;
    const { descriptor } = parts;
    this.firstOffset = descriptor.getBigUint64(8, true);
    const hasTime = (descriptor.getUint32(24, true) & FLAG_TIME) !== 0;
    this.timestamp = hasTime ? floorMillis(descriptor.getBigInt64(16, true)) : NO_TIMESTAMP;
  }

  /** The functions to instantiate a transform with. */
  imports(): Record<string, (...values: never[]) => unknown> {
    const { tab } = this.parts;
    return {
      // They only tell a broker which version of the ABI a module speaks.
      check_abi_version_1: () => tab.note(price("check_abi_version_1")),
      check_abi_version_2: () => tab.note(price("check_abi_version_2")),
      read_batch_header: (...addresses: number[]) => this.readBatchHeader(addresses),
      read_next_record: (attributes: number, timestamp: number, offset: number, buffer: number, bytes: number) =>
        this.readNextRecord([attributes, timestamp, offset], buffer, bytes),
      write_record: (buffer: number, bytes: number) => {
        const payload = this.range(buffer, bytes, "write_record");
        tab.note(price("write_record"), payload.length);
        return this.write(payload);
      },
      write_record_with_options: (buffer: number, bytes: number, options: number, optionBytes: number) => {
        const payload = this.range(buffer, bytes, "write_record_with_options");
        const named = this.range(options, optionBytes, "write_record_with_options");
        tab.note(price("write_record_with_options"), payload.length + named.length);
        if (!this.isReading) return NO_ACTIVE_TRANSFORM;
        if (valueOfPayload(payload) === undefined) return INVALID_BUFFER;
        const topic = topicOfOptions(named);
        if (topic === undefined) return INVALID_BUFFER;
        // There is one output, and it has no name.
        return topic === null ? this.write(payload) : INVALID_WRITE;
      },
    };
  }

  private readBatchHeader(addresses: readonly number[]): number {
    const { tab, texts } = this.parts;
    if (this.isReading) throw new BatchEnd();
    this.isReading = true;
    const [
      base = 0,
      count = 0,
      epoch = 0,
      attributes = 0,
      delta = 0,
      first = 0,
      last = 0,
      id = 0,
      producer = 0,
      sequence = 0,
    ] = addresses;
    this.put(base, 8).setBigInt64(0, this.firstOffset, true);
    this.put(count, 4).setInt32(0, texts.rows, true);
    this.put(epoch, 4).setInt32(0, 0, true);
    this.put(attributes, 2).setInt16(0, 0, true);
    this.put(delta, 4).setInt32(0, texts.rows - 1, true);
    this.put(first, 8).setBigInt64(0, this.timestamp, true);
    this.put(last, 8).setBigInt64(0, this.timestamp, true);
    this.put(id, 8).setBigInt64(0, BigInt(NO_PRODUCER), true);
    this.put(producer, 2).setInt16(0, NO_PRODUCER, true);
    this.put(sequence, 4).setInt32(0, NO_PRODUCER, true);
    let largest = 0;
    for (let row = 0; row < texts.rows; row++) {
      const { length } = texts.at(row);
      tab.note(price("read_batch_header"), length);
      largest = Math.max(largest, length);
    }
    return payloadBytes(largest);
  }

  private readNextRecord(where: readonly [number, number, number], buffer: number, bytes: number): number {
    const { tab, texts } = this.parts;
    const target = this.range(buffer, bytes, "read_next_record");
    if (!this.isReading || this.next === texts.rows) {
      tab.note(price("read_next_record"));
      return NO_ACTIVE_TRANSFORM;
    }
    const value = texts.at(this.next);
    tab.note(price("read_next_record"), value.length);
    if (target.length < payloadBytes(value.length)) return INVALID_BUFFER;
    const [attributes, timestamp, offset] = where;
    this.put(attributes, 1).setUint8(0, 0);
    this.put(timestamp, 8).setBigInt64(0, this.timestamp, true);
    this.put(offset, 8).setBigInt64(0, this.firstOffset + BigInt(this.next), true);
    this.next++;
    return writePayload(target, value);
  }

  private write(payload: Uint8Array<ArrayBuffer>): number {
    if (!this.isReading) return NO_ACTIVE_TRANSFORM;
    const value = valueOfPayload(payload);
    if (value === undefined) return INVALID_BUFFER;
    const of =
      this.next === 0
        ? "a record written before any was read"
        : `a record written after row ${this.next - 1} of the call`;
    if (value === null) throw new Stop("output-invalid", `${of} has no value, so it is no row`);
    this.parts.collector.addRow(value, of);
    return payload.length;
  }

  private put(address: number, bytes: number): DataView {
    const { buffer, byteOffset } = this.range(address, bytes, "a function of the transform's host");
    return new DataView(buffer, byteOffset, bytes);
  }

  private range(address: number, bytes: number, what: string): Uint8Array<ArrayBuffer> {
    const { buffer } = this.parts.host.memory;
    const start = address >>> 0;
    const length = bytes >>> 0;
    if (start + length <= buffer.byteLength) return new Uint8Array(buffer, start, length);
    throw new Stop("trap", `${what} was given ${length} bytes at ${start}, outside the memory`);
  }
}

function price(name: string): HostFunction {
  const found = REDPANDA_FUNCTIONS[`${REDPANDA_TRANSFORM}.${name}`];
  if (found === undefined) throw new RangeError(`no price for ${name}`);
  return found;
}

function floorMillis(micros: bigint): bigint {
  const millis = micros / MICROS_PER_MILLI;
  return micros < 0n && micros % MICROS_PER_MILLI !== 0n ? millis - 1n : millis;
}
