import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { IpdmError } from "../../core/errors.ts";
import { readJson } from "../../core/json.ts";
import { type AbiType, abiError, elementaryType, listsOf } from "./abi-type.ts";
import { type AbiEvent, checkEvent } from "./event-signature.ts";

/** Bytes of an ABI file, and its entries. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;
const ENTRIES_MAX = 10_000;
/** Levels of tuples, so that reading one ends. */
const DEPTH_MAX = 16;

interface Written {
  readonly name?: string | undefined;
  readonly type: string;
  readonly indexed?: boolean | undefined;
  readonly components?: readonly Written[] | undefined;
}

const parameter: z.ZodType<Written> = z.lazy(() =>
  z.object({
    name: z.string().optional(),
    type: z.string().max(256),
    indexed: z.boolean().optional(),
    components: z.array(parameter).max(64).optional(),
  }),
);
const entry = z.object({ type: z.string() }).loose();
const event = z.object({
  name: z.string(),
  inputs: z.array(parameter).max(64).default([]),
  anonymous: z.boolean().default(false),
});
const file = z.union([z.array(entry).max(ENTRIES_MAX), z.object({ abi: z.array(entry).max(ENTRIES_MAX) })]);

/**
 * Reads the events of a JSON ABI: the list that compilers write, or an object with that list as its `abi`. Throws `EVENT_ABI_MISSING`
 * and `EVENT_ABI_INVALID`, both of kind `config`.
 */
export async function readAbiFile(path: string): Promise<readonly AbiEvent[]> {
  const text = await readText(path);
  let value: unknown;
  try {
    value = readJson(text);
  } catch (cause) {
    throw abiError(`${path} is no JSON: ${(cause as Error).message}`);
  }
  if (depthOf(value) > DEPTH_MAX) throw abiError(`${path} has more than ${DEPTH_MAX} levels`);
  const parsed = file.safeParse(value);
  if (!parsed.success)
    throw abiError(
      `${path} is no contract ABI`,
      "it is the list that a compiler writes, or an object with it under abi",
    );
  const entries = Array.isArray(parsed.data) ? parsed.data : parsed.data.abi;
  return entries.filter(({ type }) => type === "event").map((found) => eventOf(path, found));
}

function eventOf(path: string, found: unknown): AbiEvent {
  const parsed = event.safeParse(found);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw abiError(`${path} has an event that is malformed: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
  }
  const { name, inputs, anonymous } = parsed.data;
  const parameters = inputs.map((input, i) => ({
    name: input.name === undefined || input.name === "" ? `arg${i}` : input.name,
    type: typeOf(input),
    indexed: input.indexed ?? false,
  }));
  return checkEvent({ name, parameters, anonymous });
}

function typeOf({ type, components }: Written): AbiType {
  const match = /^([a-z]+[0-9]*)((?:\[\d{0,7}\])*)$/.exec(type);
  if (match === null) throw abiError(`${JSON.stringify(type.slice(0, 64))} is no type of the contract ABI`);
  const [, name = "", lists = ""] = match;
  if (name !== "tuple") return listsOf(elementaryType(name), lists);
  if (components === undefined || components.length === 0)
    throw abiError(
      "a tuple has no components",
      "give those that the compiler wrote: the event's topic depends on them",
    );
  return listsOf({ kind: "tuple", members: components.map(typeOf) }, lists);
}

function depthOf(value: unknown): number {
  let level: unknown[] = [value];
  for (let depth = 0; ; depth++) {
    level = level.flatMap((each) =>
      typeof each === "object" && each !== null ? (Object.values(each) as unknown[]) : [],
    );
    if (level.length === 0 || depth > DEPTH_MAX) return depth;
  }
}

async function readText(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > FILE_BYTES_MAX) throw abiError(`${path} has more than ${FILE_BYTES_MAX} bytes`);
    return await readFile(path, "utf8");
  } catch (cause) {
    if (cause instanceof IpdmError) throw cause;
    throw new IpdmError("EVENT_ABI_MISSING", `${path} cannot be read: ${(cause as Error).message}`, {
      kind: "config",
      where: path,
      hint: "the path is relative to the configuration file",
      cause,
    });
  }
}
