import { CID } from "multiformats/cid";
import { describeBlock } from "../audit/explain/describe-block.ts";
import { findBlock } from "../audit/explain/find-block.ts";
import { bytesText, counted } from "./counted.ts";
import { explainCode } from "./error-page.ts";
import type { Terminal } from "./terminal.ts";

/** Flags of `explain`, as the command line gives them. */
export interface ExplainFlags {
  readonly receipt?: string;
  readonly data?: string;
}

/** Links that are printed; `--json` has more of them. */
const LINKS_SHOWN_MAX = 40;

/** `ipdm-runtime explain <what>`: what a code means, or what the block of a CID is. */
export async function explainCommand(what: string, flags: ExplainFlags, terminal: Terminal): Promise<void> {
  const cid = cidOf(what);
  if (cid === undefined) return explainError(what, terminal);
  const { place, bytes } = await findBlock(cid, flags);
  const { what: kind, fields, links } = describeBlock({ cid, bytes });
  if (terminal.options.json) {
    const said = { cid: cid.toString(), what: kind, place, bytes: bytes.length };
    terminal.json({
      event: "explained",
      ...said,
      fields: Object.fromEntries(fields),
      links: Object.fromEntries(links),
    });
    return;
  }
  terminal.print(kind);
  terminal.print(`  cid         ${cid.toString()}`);
  terminal.print(`  found in    ${place}, ${bytesText(bytes.length)}`);
  for (const [name, text] of fields) terminal.print(`  ${name.padEnd(11)} ${text}`);
  if (links.length === 0) return;
  terminal.print("");
  terminal.print(`${counted(links.length, "link")}:`);
  for (const [at, link] of links.slice(0, LINKS_SHOWN_MAX)) terminal.print(`  ${link} ${at}`);
  if (links.length > LINKS_SHOWN_MAX) terminal.print(`  and ${links.length - LINKS_SHOWN_MAX} more`);
}

async function explainError(text: string, terminal: Terminal): Promise<void> {
  const { code, section, exit, what, todo } = await explainCode(text);
  if (terminal.options.json) {
    terminal.json({ event: "explained", code, section, exit, what, todo });
    return;
  }
  terminal.print(`${code} (${section})`);
  terminal.print(`  what        ${what}`);
  terminal.print(`  try         ${todo}`);
  terminal.print(`  exit code   ${exit ?? "none: it ends no command"}`);
}

function cidOf(text: string): CID | undefined {
  try {
    return CID.parse(text);
  } catch {
    return undefined;
  }
}
