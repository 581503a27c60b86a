import { type AbiType, abiError } from "./abi-type.ts";

/**
 * A value of `where.<name>`, of a type of one word as the ABI has it, in 64 hexadecimal digits. Throws `EVENT_ABI_INVALID` for a value that
 * is none of the type.
 */
export function wordOf(name: string, type: AbiType, value: string | number | boolean): string {
  const text = String(value).trim();
  switch (type.kind) {
    case "address":
      if (/^0x[0-9a-f]{40}$/i.test(text)) return text.slice(2).toLowerCase().padStart(64, "0");
      break;
    case "fixedBytes":
      if (/^0x([0-9a-f]{2})+$/i.test(text) && text.length === 2 + 2 * type.size)
        return text.slice(2).toLowerCase().padEnd(64, "0");
      break;
    case "bool":
      if (text === "true" || text === "false") return (text === "true" ? "1" : "0").padStart(64, "0");
      break;
    case "uint":
    case "int":
      if ((typeof value !== "number" || Number.isSafeInteger(value)) && /^(-?\d{1,78}|0x[0-9a-f]{1,64})$/i.test(text))
        return integerWord(name, type.kind, type.size, BigInt(text));
      break;
    default:
  }
  // YAML reads 0x… and long rows of digits without quotes as numbers, which are exact up to 2^53 alone.
  const hint = typeof value === "number" ? "write it in quotes" : undefined;
  throw abiError(`${JSON.stringify(text.slice(0, 80))} is no ${nameOf(type)}`, hint, ["where", name]);
}

function integerWord(name: string, kind: "uint" | "int", size: number, value: bigint): string {
  const isInside = kind === "uint" ? BigInt.asUintN(size, value) === value : BigInt.asIntN(size, value) === value;
  if (!isInside) throw abiError(`${value} is no ${kind}${size}`, undefined, ["where", name]);
  return BigInt.asUintN(256, value).toString(16).padStart(64, "0");
}

function nameOf(type: AbiType): string {
  switch (type.kind) {
    case "address":
      return "address (0x and 40 hexadecimal digits)";
    case "fixedBytes":
      return `value of bytes${type.size}`;
    case "uint":
    case "int":
      return `value of ${type.kind}${type.size}`;
    default:
      return `value that can be compared (${type.kind})`;
  }
}
