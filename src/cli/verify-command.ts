import type { Verdict } from "../../proofs/receipt/verify.ts";
import { verifyReceiptFile } from "../audit/verify-file.ts";
import { toHex } from "../core/bytes.ts";
import { EXIT_CODES } from "../core/errors.ts";
import type { Terminal } from "./terminal.ts";

/** Flags of `verify`, as the command line gives them. */
export interface VerifyFlags {
  readonly trust?: string;
  readonly expect?: string;
}

/** `ipdm-runtime verify <receipt>`: checks a receipt offline and says what that shows. Returns the exit code. */
export async function verifyCommand(path: string, { trust, expect }: VerifyFlags, terminal: Terminal): Promise<number> {
  const verdict = await verifyReceiptFile(path, { trust, expect });
  if (terminal.options.json) terminal.json(verifiedLine(verdict));
  else for (const line of verdictLines(verdict, verdict.production)) terminal.print(line);
  return verdict.ok ? 0 : EXIT_CODES.verification;
}

function verifiedLine({ ok, trust, quorum, checks, fault, receipt, policy, votes, locks }: Verdict): object {
  const said = fault === undefined ? {} : { code: fault.code, where: fault.where, message: fault.message };
  const about =
    receipt === undefined ? {} : { root: receipt.rootCid.toString(), result: receipt.root.result.toString() };
  return {
    event: "verified",
    ok,
    trust,
    quorum: quorum ?? null,
    checks,
    ...said,
    ...about,
    policy: policy ?? null,
    members: receipt?.membership.members.map(toHex) ?? null,
    votes: votes ?? null,
    lock: locks.map(({ module, entry, publisher, ...lock }) => ({
      ...lock,
      module: module.toString(),
      entry: entry.toString(),
      publisher: toHex(publisher),
    })),
  };
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
    const asked =
      policy.verify === "full" ? "full re-execution" : `re-execution of a drawn share of ${policy.share / 10_000} %`;
    yield `  quorum      ${quorum.q} of ${quorum.n} votes a statement; two certificates for one slot need more than ${quorum.f} members to sign both`;
    if (votes !== undefined)
      yield `  policy      ${asked}; of ${votes.votes} votes ${votes.executed} executed the slot, ${votes.read} read the input themselves`;
  }
  if (receipt !== undefined) {
    const { members } = receipt.membership;
    yield `  signers     ${members.length} keys: ${members.map((key) => `${toHex(key).slice(0, 16)}…`).join(", ")}`;
    for (const [name, { rows }] of Object.entries(receipt.seal.statement.inputs)) {
      const anchor = receipt.anchors.get(name);
      yield `  input       ${name}: ${rows.toLocaleString("en-US")} rows of the file with SHA-256 ${anchor === undefined ? "?" : toHex(anchor.sha256)}`;
    }
    for (const { task, name, version, range, module, publisher } of verdict.locks)
      yield `  module      ${task}: ${name}@${version} (asked for ${range}), ${module.toString()}, published by ${toHex(publisher).slice(0, 16)}…`;
    for (const [name, { rows, root }] of Object.entries(receipt.seal.statement.outputs))
      yield `  output      ${name}: ${rows.toLocaleString("en-US")} rows, row root ${toHex(root)}`;
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
