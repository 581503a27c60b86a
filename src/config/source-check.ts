import { CHAIN_KINDS } from "../sources/chain/kind.ts";
import { chainKindOf, checkChain, KEYS_OF_CHAINS, type WrittenChain } from "./chain-source.ts";
import type { ConfigPath, Finding } from "./problem.ts";

/** A source as it is written, as far as it is about what kind of source it is. */
type WrittenSource = WrittenChain & { readonly generate?: unknown };

/** Keys that say of what kind a source is: exactly one of them is there. */
export const SOURCE_KINDS = ["file", "generate", ...CHAIN_KINDS] as const;

type SourceKind = (typeof SOURCE_KINDS)[number];

/** Keys that have no meaning with a kind, and why. */
function foreignTo(kind: SourceKind): readonly (readonly [keys: readonly (keyof WrittenSource)[], hint: string])[] {
  const ofChains = [KEYS_OF_CHAINS, "it belongs to a source with ethereum or solana"] as const;
  if (kind === "file") return [ofChains];
  if (kind === "generate") return [[["format", "columns"], "generated rows have fixed columns"], ofChains];
  return [[["format", "columns", "time"], "a chain has fixed columns; declare time at a task that reads it"]];
}

/** Checks that a source is of one kind, and that its keys are those of it. */
export function checkSource(path: ConfigPath, source: WrittenSource): Finding[] {
  const shown = path.join(".");
  const given = SOURCE_KINDS.filter((key) => source[key] !== undefined);
  const [kind, other] = given;
  if (kind === undefined)
    return [
      {
        path: [...path, "file"],
        atKey: true,
        message: `${shown}.file is missing`,
        hint: `or name blocks of a chain (${CHAIN_KINDS.join(": …, ")}: …), or rows to generate (generate: …)`,
      },
    ];
  if (other !== undefined)
    return [
      {
        path: [...path, other],
        atKey: true,
        message: `${shown} has both ${given.join(" and ")}`,
        hint: "make two sources of it",
      },
    ];
  const findings = foreignTo(kind).flatMap(([keys, hint]) =>
    keys.flatMap((key): Finding[] =>
      source[key] === undefined
        ? []
        : [{ path: [...path, key], atKey: true, message: `${shown}.${key} has no meaning with ${kind}`, hint }],
    ),
  );
  const chain = chainKindOf(source);
  return chain === undefined ? findings : [...findings, ...checkChain(path, chain, source)];
}
