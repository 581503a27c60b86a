import { deserializeTCompactProtocol } from "hyparquet/src/thrift.js";
import { PAGE_BYTES_MAX } from "../limits.ts";
import { checkThrift } from "./thrift-check.ts";

/** What a page's header says (parquet-format, parquet.thrift, PageHeader). */
export interface PageHeader {
  readonly kind: "data" | "data2" | "dictionary" | "other";
  readonly uncompressedBytes: number;
  readonly compressedBytes: number;
  readonly crc: number | undefined;
  readonly values: number;
  readonly encoding: number;
  /** Byte lengths of the levels and whether values are compressed: version 2 only. */
  readonly repetitionBytes: number;
  readonly definitionBytes: number;
  readonly isCompressed: boolean;
  /** Position after the header. */
  readonly end: number;
}

const KINDS = ["data", "other", "dictionary", "data2"] as const;
const BODY = { data: "field_5", dictionary: "field_7", data2: "field_8", other: "" } as const;

/** Reads the header at `at`. Throws RangeError on sizes that cannot be. */
export function readPageHeader(chunk: Uint8Array, at: number): PageHeader {
  checkThrift(chunk, at);
  const reader = { view: new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength), offset: at };
  const raw: Record<string, unknown> = deserializeTCompactProtocol(reader);
  const kind = KINDS[size(raw["field_1"], "page type")] ?? "other";
  const body = kind === "other" ? {} : raw[BODY[kind]];
  if (typeof body !== "object" || body === null) throw new RangeError("a page header without its body");
  const fields = body as Record<string, unknown>;
  const uncompressedBytes = size(raw["field_2"], "page size");
  const compressedBytes = size(raw["field_3"], "page size");
  if (uncompressedBytes > PAGE_BYTES_MAX)
    throw new RangeError(`a page of ${uncompressedBytes} bytes, more than ${PAGE_BYTES_MAX}`);
  if (reader.offset + compressedBytes > chunk.length) throw new RangeError("a page ends beyond its column");
  const crc = raw["field_4"];
  return {
    kind,
    uncompressedBytes,
    compressedBytes,
    end: reader.offset,
    crc: typeof crc === "number" ? crc >>> 0 : undefined,
    values: kind === "other" ? 0 : size(fields["field_1"], "value count"),
    encoding: kind === "other" ? 0 : size(fields[kind === "data2" ? "field_4" : "field_2"], "encoding"),
    definitionBytes: kind === "data2" ? size(fields["field_5"], "level size") : 0,
    repetitionBytes: kind === "data2" ? size(fields["field_6"], "level size") : 0,
    isCompressed: kind !== "data2" || fields["field_7"] !== false,
  };
}

function size(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0)
    throw new RangeError(`a page header without ${what}`);
  return value;
}
