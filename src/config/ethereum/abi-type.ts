import { IpdmError } from "../../core/errors.ts";
import type { ConfigPath } from "../problem.ts";

/** Levels of lists and tuples inside each other, and bytes of a value's head (Solidity, "Contract ABI Specification"). */
const DEPTH_MAX = 8;
const HEAD_BYTES_MAX = 1_000_000;

/** A type of the contract ABI. `size` is in bits for integers, in bytes for fixed bytes; `count` is null for lists of any length. */
export type AbiType =
  | { readonly kind: "address" | "bool" | "string" | "bytes" }
  | { readonly kind: "uint" | "int" | "fixedBytes"; readonly size: number }
  | { readonly kind: "list"; readonly item: AbiType; readonly count: number | null }
  | { readonly kind: "tuple"; readonly members: readonly AbiType[] };

/** What stands where a type was expected. */
export function abiError(message: string, hint?: string, at?: ConfigPath): IpdmError {
  return new IpdmError("EVENT_ABI_INVALID", message, {
    kind: "config",
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { facts: { at } }),
  });
}

/** Reads the name of a type that is no tuple and no list: `uint256`, `uint` (short for it), `bytes32`, `address payable`. */
export function elementaryType(name: string): AbiType {
  const word = name.replace(/^address\s+payable$/, "address");
  if (word === "address" || word === "bool" || word === "string" || word === "bytes") return { kind: word };
  // A function is an address and a selector.
  if (word === "function") return { kind: "fixedBytes", size: 24 };
  const match = /^(uint|int|bytes)(\d{1,3})?$/.exec(word);
  const size = Number(match?.[2] ?? 256);
  if (match?.[1] === "bytes" && size >= 1 && size <= 32) return { kind: "fixedBytes", size };
  if ((match?.[1] === "uint" || match?.[1] === "int") && size >= 8 && size <= 256 && size % 8 === 0)
    return { kind: match[1], size };
  throw abiError(
    `${JSON.stringify(word.slice(0, 64))} is no type of the contract ABI`,
    "write address, bool, string, bytes, bytes1 to bytes32, uint8 to uint256 or int8 to int256, a tuple (…), or a list of one with []",
  );
}

/** Puts lists around a type, from a text such as `[][3]`. */
export function listsOf(type: AbiType, suffix: string): AbiType {
  let result = type;
  for (const [, count] of suffix.matchAll(/\[(\d{0,7})\]/g))
    result = { kind: "list", item: result, count: count === "" ? null : Number(count) };
  return result;
}

/** Checks that a type is one that a log can have: not too deep, not too wide. Throws `EVENT_ABI_INVALID`. */
export function checkType(type: AbiType, depth = 0): void {
  if (depth > DEPTH_MAX) throw abiError(`a type has more than ${DEPTH_MAX} levels of lists and tuples`);
  if (type.kind === "list") checkType(type.item, depth + 1);
  if (type.kind === "tuple") for (const member of type.members) checkType(member, depth + 1);
  if (headBytes(type) > HEAD_BYTES_MAX) throw abiError(`a value would have more than ${HEAD_BYTES_MAX} bytes`);
}

function isDynamic(type: AbiType): boolean {
  if (type.kind === "list") return type.count === null || isDynamic(type.item);
  if (type.kind === "tuple") return type.members.some(isDynamic);
  return type.kind === "string" || type.kind === "bytes";
}

function headBytes(type: AbiType): number {
  if (isDynamic(type)) return 32;
  if (type.kind === "list") return (type.count ?? 0) * headBytes(type.item);
  if (type.kind === "tuple") return type.members.reduce((sum, member) => sum + headBytes(member), 0);
  return 32;
}

/** True for a type whose value is one word of 32 bytes. */
export function isWord(type: AbiType): boolean {
  return !["list", "tuple", "string", "bytes"].includes(type.kind);
}

/** The name of a type as signatures are hashed with it. */
export function canonicalName(type: AbiType): string {
  switch (type.kind) {
    case "uint":
    case "int":
      return `${type.kind}${type.size}`;
    case "fixedBytes":
      return `bytes${type.size}`;
    case "list":
      return `${canonicalName(type.item)}[${type.count ?? ""}]`;
    case "tuple":
      return `(${type.members.map(canonicalName).join(",")})`;
    default:
      return type.kind;
  }
}

/** A type as the module `ipdm:ethereum-events` reads it. */
export function abiCode(type: AbiType): string {
  switch (type.kind) {
    case "address":
      return "a";
    case "bool":
      return "b";
    case "string":
      return "s";
    case "bytes":
      return "y";
    case "uint":
      return `u${type.size}`;
    case "int":
      return `i${type.size}`;
    case "fixedBytes":
      return `f${type.size}`;
    case "list":
      return `[${type.count ?? ""}]${abiCode(type.item)}`;
    case "tuple":
      return `(${type.members.map(abiCode).join("")})`;
    default:
      return type satisfies never;
  }
}
