import { IpdmError } from "./errors.ts";

const UNIT_BYTES = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

/** What {@link parseSize} reads, as a regular expression, for schemas and editors. */
export const SIZE_PATTERN = "^(0|[1-9][0-9]{0,14})(\\.[0-9]{1,6})?(B|[kK]B|MB|GB|TB|KiB|MiB|GiB|TiB)$";

const SIZE = new RegExp(SIZE_PATTERN);

/**
 * Bytes of a size such as `256MiB`, `1.5GB` or `512B`: a number and its unit, without a space; powers of 1000 (kB, MB, GB, TB) or of
 * 1024 (KiB, MiB, GiB, TiB). Throws `SIZE_INVALID` for other text, for a part of a byte, and above 2^53 - 1.
 */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  if (match === null) throw invalid(text, "write a number and its unit, such as 256MiB");
  const unit = UNIT_BYTES[match[3] as keyof typeof UNIT_BYTES]; // the pattern lists exactly these units
  const fraction = match[2]?.slice(1) ?? "";
  const scale = 10n ** BigInt(fraction.length);
  const scaled = BigInt(`${match[1]}${fraction}`) * BigInt(unit);
  if (scaled % scale !== 0n) throw invalid(text, "that is not a whole number of bytes");
  const bytes = scaled / scale;
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(text, "that is more than 2^53 - 1 bytes");
  return Number(bytes);
}

/** A whole number of bytes as {@link parseSize} reads it, in the largest unit of 1024 that it is whole in. */
export function sizeText(bytes: number): string {
  const units = ["TiB", "GiB", "MiB", "KiB"] as const;
  const unit = units.find((name) => bytes > 0 && bytes % UNIT_BYTES[name] === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / UNIT_BYTES[unit]}${unit}`;
}

function invalid(text: string, hint: string): IpdmError {
  return new IpdmError("SIZE_INVALID", `${JSON.stringify(text.slice(0, 64))} is not a size`, { kind: "config", hint });
}
