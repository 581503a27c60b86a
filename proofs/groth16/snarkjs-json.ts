import type { ProofMessage } from "../../circuits/messages.ts";
import type { Groth16Proof, Pair, PointG1, PointG2 } from "./proof.ts";
import { isCanonical } from "./proof.ts";

/**
 * Reads a proof as snarkjs writes it (projective, decimal text). `undefined` for anything else: wrong shape, digits that are
 * not plain decimal, a third coordinate that is not one (so the point at infinity too), coordinates out of the field.
 */
export function proofFromJson(json: unknown): Groth16Proof | undefined {
  const record = recordOf(json);
  const a = pointG1Of(record?.["pi_a"]);
  const b = pointG2Of(record?.["pi_b"]);
  const c = pointG1Of(record?.["pi_c"]);
  if (a === undefined || b === undefined || c === undefined) return undefined;
  return isCanonical({ a, b, c }) ? { a, b, c } : undefined;
}

/** The proof as snarkjs reads it. */
export function proofToJson({ a, b, c }: Groth16Proof): ProofMessage {
  const pair = ({ c0, c1 }: Pair): string[] => [String(c0), String(c1)];
  return {
    pi_a: [String(a.x), String(a.y), "1"],
    pi_b: [pair(b.x), pair(b.y), ["1", "0"]],
    pi_c: [String(c.x), String(c.y), "1"],
  };
}

/** A record of named values, or `undefined`. */
export function recordOf(json: unknown): Readonly<Record<string, unknown>> | undefined {
  // The check makes the type true: an object that is not null can be read by name.
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? (json as Readonly<Record<string, unknown>>)
    : undefined;
}

/** A G1 point from `[x, y, "1"]`. */
export function pointG1Of(json: unknown): PointG1 | undefined {
  const [x, y, z] = decimalsOf(json, 3) ?? [];
  return x === undefined || y === undefined || z !== 1n ? undefined : { x, y };
}

/** A G2 point from `[[x0, x1], [y0, y1], ["1", "0"]]`. */
export function pointG2Of(json: unknown): PointG2 | undefined {
  if (!Array.isArray(json) || json.length !== 3) return undefined;
  const [x, y, z] = json.map(pairOf);
  return x === undefined || y === undefined || z?.c0 !== 1n || z.c1 !== 0n ? undefined : { x, y };
}

function pairOf(json: unknown): Pair | undefined {
  const [c0, c1] = decimalsOf(json, 2) ?? [];
  return c0 === undefined || c1 === undefined ? undefined : { c0, c1 };
}

function decimalsOf(json: unknown, length: number): readonly bigint[] | undefined {
  if (!Array.isArray(json) || json.length !== length) return undefined;
  // 78 digits hold every value below 2^256; no sign, no leading zero, no other radix.
  const plain = json.every((item) => typeof item === "string" && /^(0|[1-9][0-9]{0,77})$/.test(item));
  return plain ? json.map((item: string) => BigInt(item)) : undefined;
}
