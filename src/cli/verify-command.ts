import { CHECKS, type CheckName } from "../../proofs/receipt/verdict.ts";
import type { Verdict } from "../../proofs/receipt/verify.ts";
import { attestedText } from "../audit/attested.ts";
import { withData } from "../audit/audited.ts";
import { type Completeness, completenessOf } from "../audit/completeness.ts";
import { parseRowFilter, type Wanted } from "../audit/row/row-filter.ts";
import { type FoundRow, rowOfReceipt } from "../audit/row/row-of-receipt.ts";
import { type FileVerdict, verifyFile } from "../audit/verify-file.ts";
import { isChainAnchor } from "../consensus/result.ts";
import { toHex } from "../core/bytes.ts";
import { EXIT_CODES, IpdmError } from "../core/errors.ts";
import { writeWhole } from "../sinks/atomic-file.ts";
import { bytesText, counted, words } from "./counted.ts";
import { anchoredText, inputText } from "./input-lines.ts";
import { pairs } from "./pair.ts";
import { rowFields, rowLine, rowLines, rowVerdictLines } from "./row-lines.ts";
import { shellWord } from "./shell-word.ts";
import type { Terminal } from "./terminal.ts";

/** Flags of `verify`, as the command line gives them. */
export interface VerifyFlags {
  readonly trust?: string;
  readonly expect?: string;
  readonly row?: string;
  readonly output?: string;
  readonly data?: string;
  readonly complete?: boolean;
  readonly input: readonly string[];
  readonly out?: string;
}

/** `ipdm-runtime verify <receipt>`: checks a receipt, or a row saved from one, offline and says what that shows. Returns the exit code. */
export async function verifyCommand(
  path: string,
  flags: VerifyFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const wanted = flags.row === undefined ? undefined : parseRowFilter(flags.row);
  checkFlags(flags);
  const found = await verifyFile(path, { trust: flags.trust, expect: flags.expect });
  if (found.kind === "row") {
    if (wanted !== undefined)
      throw new IpdmError("USAGE", `${path} is a saved row; --row asks for one of a receipt`, { kind: "usage" });
    if (terminal.options.json) terminal.json(rowLine(found.verdict));
    else for (const line of rowVerdictLines(found.verdict)) terminal.print(line);
    return found.verdict.ok ? 0 : EXIT_CODES.verification;
  }
  const { verdict } = found;
  const more = await lookFurther(path, verdict, wanted, flags, signal);
  if (more.row !== undefined && flags.out !== undefined) await writeWhole(flags.out, more.row.file);
  if (terminal.options.json) terminal.json({ ...verifiedLine(verdict), ...furtherFields(more, flags.out) });
  else {
    for (const line of verdictLines(verdict)) terminal.print(line);
    if (more.complete !== undefined) for (const line of completeLines(more.complete)) terminal.print(line);
    if (more.row !== undefined) for (const line of foundLines(more.row, flags.out)) terminal.print(line);
  }
  return verdict.ok ? 0 : EXIT_CODES.verification;
}

/** What was asked for beyond the receipt's own checks. */
interface Further {
  readonly row?: FoundRow;
  readonly complete?: Completeness;
}

async function lookFurther(
  path: string,
  { ok, receipt }: FileVerdict,
  wanted: readonly Wanted[] | undefined,
  flags: VerifyFlags,
  signal: AbortSignal,
): Promise<Further> {
  if (!ok || receipt === undefined || (wanted === undefined && flags.complete !== true)) return {};
  const inputs = pairs("--input", flags.input);
  return withData(path, receipt, { data: flags.data, inputs }, async (input): Promise<Further> => {
    const complete = flags.complete === true ? { complete: await completenessOf(receipt, input, signal) } : {};
    if (wanted === undefined) return complete;
    return { ...complete, row: await rowOfReceipt(receipt, input, { wanted, output: flags.output, signal }) };
  });
}

function furtherFields({ row, complete }: Further, out: string | undefined): object {
  const file = out === undefined ? {} : { file: out };
  return {
    ...(complete === undefined ? {} : { complete }),
    ...(row === undefined ? {} : { row: { ...rowFields(row.shown, row.chain), ...file } }),
  };
}

function* completeLines({ proved, attested, open }: Completeness): Generator<string> {
  yield "";
  yield "Proved, by hashes alone:";
  for (const { message } of proved) yield `  ✓ ${message}`;
  yield "Attested, by the votes:";
  for (const { message } of attested) yield `  – ${message}`;
  if (open.length > 0) yield "Shown by nothing here:";
  for (const { message } of open) yield `  ? ${message}`;
}

function checkFlags({ row, output, out }: VerifyFlags): void {
  if (row !== undefined || (output === undefined && out === undefined)) return;
  throw new IpdmError("USAGE", `${out === undefined ? "--output" : "--out"} is about a row, and there is no --row`, {
    kind: "usage",
    hint: "say which row: --row 'column=value,column=value'",
  });
}

function* foundLines({ shown, chain }: FoundRow, out: string | undefined): Generator<string> {
  yield "";
  yield* rowLines(shown, chain);
  if (out !== undefined) yield `  saved       ${out}: \`ipdm-runtime verify ${shellWord(out)}\` checks it by itself`;
}

function verifiedLine({ ok, trust, quorum, checks, fault, receipt, policy, votes, locks, bytes }: FileVerdict): object {
  const said = fault === undefined ? {} : { code: fault.code, where: fault.where, message: fault.message };
  const about =
    receipt === undefined
      ? {}
      : {
          root: receipt.rootCid.toString(),
          result: receipt.root.result.toString(),
          headers: Object.keys(receipt.root.headers ?? {}),
        };
  return {
    event: "verified",
    ok,
    trust,
    quorum: quorum ?? null,
    checks,
    ...said,
    ...about,
    bytes,
    policy: policy ?? null,
    members: receipt?.membership.members.map(toHex) ?? null,
    votes: votes ?? null,
    lock: locks.map(({ module, entry, publisher, live, ...lock }) => ({
      ...lock,
      ...(live && { live: live.map((taken) => ({ ...taken, module: taken.module.toString() })) }),
      module: module.toString(),
      entry: entry.toString(),
      publisher: toHex(publisher),
    })),
  };
}

/** What each check shows, once it is passed. */
const SHOWN: Readonly<Record<CheckName, (count: number) => string>> = {
  blocks: (count) => `${count} blocks hash to their names, in canonical form, none twice`,
  links: (count) => `${count} ${words(count, "link")} followed: none missing, nothing unreferenced`,
  signatures: (count) => `${count} Ed25519 ${words(count, "signature")} of slots, votes and challenges`,
  seal: (count) =>
    `${count} ${words(count, "statement covers", "statements cover")} every input range once and ${words(count, "names", "name")} the result`,
  merkle: (count) => `${count} ${words(count, "frontier leads", "frontiers lead")} to the tables' row roots`,
  groth16: (count) => `${count} zero-knowledge ${words(count, "proof")} of window aggregates`,
};

/** A line a check. They are made in order, so those behind the one that failed were not reached. */
export function* checkLines(checks: Verdict["checks"], production: boolean): Generator<string> {
  let hasFailed = false;
  for (const name of CHECKS) {
    const { ok, count } = checks[name];
    const isDevelopment = name === "groth16" && count > 0 && !production;
    const keys = isDevelopment ? " (DEVELOPMENT keys: whoever made them could forge)" : "";
    if (ok) yield `✓ ${name.padEnd(11)} ${SHOWN[name](count)}${keys}`;
    else yield hasFailed ? `– ${name.padEnd(11)} not reached` : `✗ ${name.padEnd(11)} not passed, see below`;
    hasFailed ||= !ok;
  }
}

function* verdictLines(verdict: FileVerdict): Generator<string> {
  const { checks, fault, receipt, quorum, policy, votes, trust } = verdict;
  for (const line of checkLines(checks, verdict.production))
    yield line.startsWith("✓ blocks") ? `${line} (${bytesText(verdict.bytes)})` : line;
  if (quorum !== undefined && policy !== undefined) {
    const asked =
      policy.verify === "full" ? "full re-execution" : `re-execution of a drawn share of ${policy.share / 10_000} %`;
    yield `  quorum      ${quorum.q} of ${quorum.n} votes a statement; two certificates for one slot need more than ${quorum.f} members to sign both`;
    if (votes !== undefined)
      yield `  policy      ${asked}; of ${votes.votes} votes ${votes.executed} executed the slot, ${votes.read} read the input themselves`;
  }
  if (receipt !== undefined) {
    const { members } = receipt.membership;
    yield `  signers     ${counted(members.length, "key")}: ${members.map((key) => `${toHex(key).slice(0, 16)}…`).join(", ")}`;
    for (const [name, { rows }] of Object.entries(receipt.seal.statement.inputs)) {
      const anchor = receipt.anchors.get(name);
      yield `  input       ${name}: ${inputText(rows, anchor)}`;
      const anchored = receipt.config.anchored?.[name];
      if (anchor === undefined || !isChainAnchor(anchor)) continue;
      yield `  anchor      ${name}: ${anchoredText(anchor.kind, anchored)}`;
      if (receipt.root.headers?.[name] !== undefined)
        yield `  headers     ${name}: every block's header hashes to the block's hash, and names the block before as its parent`;
      const attested = attestedText(anchor.kind);
      if (attested !== undefined) yield `  attested    ${name}: ${attested}`;
    }
    for (const { task, name, version, range, module, publisher, live = [] } of verdict.locks) {
      yield `  module      ${task}: ${name}@${version} (asked for ${range}), ${module.toString()}, published by ${toHex(publisher).slice(0, 16)}…`;
      for (const taken of live)
        yield `              ${task}: ${name}@${taken.version} from slot ${taken.slot} on, ${taken.module.toString()}`;
    }
    for (const [name, { rows, root }] of Object.entries(receipt.seal.statement.outputs))
      yield `  output      ${name}: ${counted(rows, "row")}, row root ${toHex(root)}`;
    yield `  result      ${receipt.root.result.toString()}`;
  }
  yield "";
  if (fault !== undefined) {
    yield `NOT VERIFIED: ${fault.code} at ${fault.where}: ${fault.message}`;
    return;
  }
  yield trust === "trusted"
    ? "VERIFIED against the keys you trust: every signer is one of them."
    : "VERIFIED as self-asserted: the receipt is consistent, but it cannot show by itself whose keys these are, or that they are independent.";
  if (trust !== "trusted")
    yield "To check who signed, pass --trust keys.json; to check it is the result you know, pass --expect <result>.";
  yield "Nothing was executed again; `ipdm-runtime replay` does that.";
}
