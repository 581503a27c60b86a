import type { Buffer } from "node:buffer";
import {
  elementsOf,
  isText,
  type Member,
  membersOf,
  plainText,
  type Slice,
  skipBlank,
  valueEnd,
} from "../chain/json-scan.ts";
import { WORDS_MAX } from "./limits.ts";

/** What an endpoint says to one call: the JSON text of its result, or its error. */
export type Answer =
  | { readonly kind: "result"; readonly json: Buffer }
  | { readonly kind: "error"; readonly code: number; readonly message: string };

const OPEN_LIST = 0x5b;
const OPEN_OBJECT = 0x7b;

/**
 * The answers of a reply in the order of their calls, whose ids are 0, 1, 2…; results are cut out, not parsed. A text says why the
 * reply cannot be used: it is cut short, no JSON, or lacks an answer.
 */
export function answersOf(bytes: Buffer, calls: number): readonly Answer[] | string {
  const from = skipBlank(bytes, 0, bytes.length);
  const to = valueEnd(bytes, from, bytes.length);
  if (to < 0) return from === bytes.length ? "its reply is empty" : "its reply is cut short or no JSON";
  const isList = bytes[from] === OPEN_LIST;
  const items = isList ? elementsOf(bytes, from, to, calls + 1) : [{ from, to }];
  if (items === undefined) return "its reply is no JSON";
  const answers = new Array<Answer | undefined>(calls).fill(undefined);
  for (const item of items) {
    const members = bytes[item.from] === OPEN_OBJECT ? membersOf(bytes, item.from, item.to) : undefined;
    if (members === undefined) return "its reply holds something else than answers";
    const answer = answerOf(bytes, members);
    if (answer === undefined) return "an answer has neither result nor error";
    const id = Number(textOf(bytes, members, "id") ?? Number.NaN);
    // An error about the whole request has no id.
    if (!Number.isInteger(id) && answer.kind === "error") return calls === 1 ? [answer] : answers.map(() => answer);
    if (!(id in answers)) return "an answer has an id that no call has";
    answers[id] = answer;
  }
  return answers.includes(undefined) ? "it left calls without an answer" : (answers as Answer[]);
}

function answerOf(bytes: Buffer, members: readonly Member[]): Answer | undefined {
  const error = members.find(({ name }) => isText(bytes, name, "error"))?.value;
  if (error !== undefined && !isText(bytes, error, "null")) return errorOf(bytes, error);
  const result = members.find(({ name }) => isText(bytes, name, "result"))?.value;
  return result === undefined ? undefined : { kind: "result", json: bytes.subarray(result.from, result.to) };
}

function errorOf(bytes: Buffer, { from, to }: Slice): Answer {
  const members = bytes[from] === OPEN_OBJECT ? (membersOf(bytes, from, to) ?? []) : [];
  const code = Number(textOf(bytes, members, "code") ?? 0);
  const message = members.find(({ name }) => isText(bytes, name, "message"))?.value;
  const words =
    message === undefined ? "" : (plainText(bytes, message) ?? bytes.toString("utf8", message.from, message.to));
  return { kind: "error", code: Number.isInteger(code) ? code : 0, message: words.slice(0, WORDS_MAX) };
}

function textOf(bytes: Buffer, members: readonly Member[], name: string): string | undefined {
  const value = members.find((member) => isText(bytes, member.name, name))?.value;
  if (value === undefined || value.to - value.from > 32) return undefined;
  return plainText(bytes, value) ?? bytes.toString("latin1", value.from, value.to);
}
