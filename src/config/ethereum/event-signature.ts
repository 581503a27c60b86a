import { keccak_256 } from "@noble/hashes/sha3.js";
import { toHex, utf8 } from "../../core/bytes.ts";
import { type AbiType, abiError, canonicalName, checkType, elementaryType, listsOf } from "./abi-type.ts";

/** Characters of an event as it is written, and its parameters. */
export const SIGNATURE_CHARS_MAX = 2048;
const PARAMETERS_MAX = 32;
const NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,127}$/;

/** A parameter of an event; an unnamed one is called by its place. */
export interface AbiParameter {
  readonly name: string;
  readonly type: AbiType;
  readonly indexed: boolean;
}

/** An event of a contract. */
export interface AbiEvent {
  readonly name: string;
  readonly parameters: readonly AbiParameter[];
  /** Its logs have no topic that tells it. */
  readonly anonymous: boolean;
}

/** Reads an event as Solidity declares it: `Transfer(address indexed from, address indexed to, uint256 value)`. Throws `EVENT_ABI_INVALID`. */
export function parseEvent(text: string): AbiEvent {
  if (text.length > SIGNATURE_CHARS_MAX) throw abiError(`an event has at most ${SIGNATURE_CHARS_MAX} characters`);
  const match = /^\s*(?:event\s+)?([^\s(]+)\s*\(([\s\S]*)\)\s*(anonymous)?\s*;?\s*$/.exec(text);
  if (match === null)
    throw abiError(
      `${JSON.stringify(text.slice(0, 64))} declares no event`,
      "write it as Transfer(address indexed from, address indexed to, uint256 value)",
    );
  const [, name = "", inside = "", anonymous] = match;
  return checkEvent({
    name,
    parameters: parts(inside).map((part, i) => parseParameter(part, i)),
    anonymous: anonymous !== undefined,
  });
}

/** Checks what every event has to keep, however it is written. Throws `EVENT_ABI_INVALID`. */
export function checkEvent(event: AbiEvent): AbiEvent {
  const { name, parameters, anonymous } = event;
  if (!NAME.test(name)) throw abiError(`${JSON.stringify(name.slice(0, 64))} is no name of an event`);
  if (parameters.length > PARAMETERS_MAX) throw abiError(`${name} has more than ${PARAMETERS_MAX} parameters`);
  const odd = parameters.find((parameter) => !NAME.test(parameter.name));
  if (odd !== undefined) throw abiError(`${name}: ${JSON.stringify(odd.name.slice(0, 64))} is no name of a parameter`);
  const most = anonymous ? 4 : 3;
  if (parameters.filter(({ indexed }) => indexed).length > most)
    throw abiError(`${name} has more than ${most} indexed parameters`);
  for (const { type } of parameters) checkType(type);
  return event;
}

/** The text whose hash is the first topic of an event's logs. */
export function signatureOf({ name, parameters }: AbiEvent): string {
  return `${name}(${parameters.map(({ type }) => canonicalName(type)).join(",")})`;
}

/** The first topic of an event's logs, in hexadecimal digits: Keccak-256 of its signature. */
export function topicOf(event: AbiEvent): string {
  return toHex(keccak_256(utf8(signatureOf(event))));
}

/** How many topics an event's logs have. */
export function topicCount({ parameters, anonymous }: AbiEvent): number {
  return parameters.filter(({ indexed }) => indexed).length + (anonymous ? 0 : 1);
}

/** Cuts a list at the commas that stand in no brackets. */
function parts(text: string): readonly string[] {
  if (text.trim() === "") return [];
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "(") depth++;
    else if (character === ")") depth--;
    else if (character === "," && depth === 0) {
      found.push(text.slice(from, at));
      from = at + 1;
    }
    if (depth < 0) throw abiError("a bracket is closed that was not opened");
  }
  if (depth > 0) throw abiError("a bracket is not closed");
  return [...found, text.slice(from)];
}

function parseParameter(text: string, place: number): AbiParameter {
  const { type, rest } = parseType(text.trim());
  const words = rest.split(/\s+/).filter((word) => word !== "");
  const indexed = words[0] === "indexed";
  const names = indexed ? words.slice(1) : words;
  if (names.length > 1)
    throw abiError(
      `${JSON.stringify(text.trim().slice(0, 64))} is no parameter`,
      "write type, then `indexed` where it is, then name",
    );
  return { name: names[0] ?? `arg${place}`, type, indexed };
}

/** Reads a type from the beginning of a text. */
function parseType(text: string): { readonly type: AbiType; readonly rest: string } {
  const tuple = /^(?:tuple\s*)?\(/.exec(text);
  if (tuple === null) {
    const match = /^(address\s+payable\b|[a-z]+[0-9]*)((?:\[\d{0,7}\])*)([\s\S]*)$/.exec(text);
    if (match === null) throw abiError(`${JSON.stringify(text.slice(0, 64))} does not begin with a type`);
    return { type: listsOf(elementaryType(match[1] ?? ""), match[2] ?? ""), rest: match[3] ?? "" };
  }
  const end = closing(text, tuple[0].length);
  const members = parts(text.slice(tuple[0].length, end)).map((part) => parseType(part.trim()).type);
  const match = /^((?:\[\d{0,7}\])*)([\s\S]*)$/.exec(text.slice(end + 1));
  return { type: listsOf({ kind: "tuple", members }, match?.[1] ?? ""), rest: match?.[2] ?? "" };
}

function closing(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")") depth--;
    if (depth === 0) return at;
  }
  throw abiError("a bracket is not closed");
}
