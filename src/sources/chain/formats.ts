import { IpdmError } from "../../core/errors.ts";
import { ETHEREUM } from "../ethereum/format.ts";
import type { ChainFormat, ChainKind } from "./kind.ts";

/** What is known of each kind of chain: another one comes in by a line here. */
const FORMATS: Readonly<Partial<Record<ChainKind, ChainFormat>>> = { ethereum: ETHEREUM };

/** The format of a kind of chain. Throws `CHAIN_UNSUPPORTED` (kind `config`). */
export function chainFormat(kind: ChainKind): ChainFormat {
  const format = FORMATS[kind];
  if (format !== undefined) return format;
  throw new IpdmError("CHAIN_UNSUPPORTED", `blocks of ${kind} cannot be read`, {
    kind: "config",
    hint: `these can: ${Object.keys(FORMATS).join(", ")}`,
  });
}
