import { readFile } from "node:fs/promises";
import { fromHex, toHex } from "../core/bytes.ts";
import { EXIT_CODES, IpdmError } from "../core/errors.ts";
import { sha256, verifyEd25519 } from "../node.ts";
import { loadCircuitKey } from "../../proofs/groth16/circuit-files.ts";
import { WINDOW_CIRCUIT } from "../../proofs/groth16/window-proof.ts";
import { type Verdict, verifyReceipt } from "../../proofs/receipt/verify.ts";
import { readReceiptFile } from "../audit/receipt-file.ts";
import type { Terminal } from "./terminal.ts";

/** Flags of `verify`, as the command line gives them. */
export interface VerifyFlags {
  readonly trust?: string;
  readonly expect?: string;
}

/** Most bytes of a file of trusted keys. */
const KEYS_BYTES_MAX = 1024 * 1024;

/** `ipdm-runtime verify <receipt>`: checks a receipt offline and says what that shows. Returns the exit code. */
export async function verifyCommand(path: string, flags: VerifyFlags, terminal: Terminal): Promise<number> {
  const trusted = flags.trust === undefined ? undefined : await readTrusted(flags.trust);
  const bytes = await readReceiptFile(path);
  const { key, provenance } = await loadCircuitKey(WINDOW_CIRCUIT);
  const verdict = verifyReceipt({ hash: sha256, verify: verifyEd25519, key }, bytes, { trusted, result: flags.expect });
  if (terminal.options.json) terminal.json(verifiedLine(verdict));
  else for (const line of verdictLines(verdict, provenance.production)) terminal.print(line);
  return verdict.ok ? 0 : EXIT_CODES.verification;
}

function verifiedLine({ ok, trust, quorum, checks, fault, receipt, policy, votes }: Verdict): object {
  const said = fault === undefined ? {} : { code: fault.code, where: fault.where, message: fault.message };
  const about = receipt === undefined ? {} : { root: receipt.rootCid.toString(), result: receipt.root.result.toString() };
  return { event: "verified", ok, trust, quorum: quorum ?? null, checks, ...said, ...about, policy: policy ?? null, votes: votes ?? null };
}

function* verdictLines(verdict: Verdict, production: boolean): Generator<string> {
  const { checks, fault, receipt, quorum, policy, votes, trust } = verdict;
  const mark = (ok: boolean): string => (ok ? "✓" : "✗");
  yield `${mark(checks.blocks.ok)} blocks      ${checks.blocks.count} blocks hash to their names, in canonical form, none twice`;
  yield `${mark(checks.links.ok)} links       ${checks.links.count} links followed: none missing, nothing unreferenced`;
  yield `${mark(checks.signatures.ok)} signatures  ${checks.signatures.count} Ed25519 signatures of slots, votes and challenges`;
  yield `${mark(checks.seal.ok)} seal        ${checks.seal.count} statements cover every input range once and name the result`;
  yield `${mark(checks.merkle.ok)} merkle      ${checks.merkle.count} frontiers lead to the tables' row roots`;
  yield `${mark(checks.groth16.ok)} groth16     ${checks.groth16.count} zero-knowledge proofs of window aggregates${production ? "" : " (DEVELOPMENT keys: whoever made them could forge)"}`;
  if (quorum !== undefined && policy !== undefined) {
    const asked = policy.verify === "full" ? "full re-execution" : `re-execution of a drawn share of ${policy.share / 10_000} %`;
    yield `  quorum      ${quorum.q} of ${quorum.n} votes a statement; two certificates for one slot need more than ${quorum.f} members to sign both`;
    if (votes !== undefined) yield `  policy      ${asked}; of ${votes.votes} votes ${votes.executed} executed the slot, ${votes.read} read the input themselves`;
  }
  if (receipt !== undefined) {
    for (const [name, { rows }] of Object.entries(receipt.seal.statement.inputs)) {
      const anchor = receipt.anchors.get(name);
      yield `  input       ${name}: ${rows.toLocaleString("en-US")} rows of the file with SHA-256 ${anchor === undefined ? "?" : toHex(anchor.sha256)}`;
    }
    for (const [name, { rows, root }] of Object.entries(receipt.seal.statement.outputs)) yield `  output      ${name}: ${rows.toLocaleString("en-US")} rows, row root ${toHex(root)}`;
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
  if (trust !== "trusted") yield "To check who signed, pass --trust keys.json; to check it is the result you know, pass --expect <result>.";
  yield "Nothing was executed again; `ipdm-runtime replay` does that.";
}

/** Reads trusted keys: a JSON array of 64-digit hexadecimal keys, or an object with such an array under `keys`. */
async function readTrusted(path: string): Promise<ReadonlySet<string>> {
  let parsed: unknown;
  try {
    const text = await readFile(path, "utf8");
    if (text.length > KEYS_BYTES_MAX) throw new RangeError("the file is too large");
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new IpdmError("TRUST_UNREADABLE", `the trusted keys cannot be read: ${(cause as Error).message}`, { kind: "usage", where: path, cause });
  }
  const list = Array.isArray(parsed) ? parsed : (parsed as { keys?: unknown } | null)?.keys;
  const keys = Array.isArray(list) ? list.map((item) => (typeof item === "string" ? item.toLowerCase() : "")) : [];
  if (keys.length === 0 || keys.some((key) => fromHex(key)?.length !== 32)) {
    throw new IpdmError("TRUST_UNREADABLE", "trusted keys are a JSON array of Ed25519 public keys, 64 hexadecimal digits each", {
      kind: "usage",
      where: path,
      hint: 'for example {"keys": ["…64 digits…"]}',
    });
  }
  return new Set(keys);
}
