import { CID } from "multiformats/cid";
import { type Policy, type QuorumNumbers, quorumNumbers } from "../../src/consensus/membership.ts";
import type { Hash, Verify } from "../../src/core/ports.ts";
import type { WindowKeys } from "../groth16/window-keys.ts";
import { checkChains } from "./chain-check.ts";
import { checkLinks, type Receipt, readBlocks, readContents } from "./contents.ts";
import { checkHeaders } from "./header-check.ts";
import { checkJournals } from "./journals-check.ts";
import { checkLocks, type ShownLock } from "./lock-check.ts";
import { checkProofs } from "./proofs-check.ts";
import { checkMerkle, checkSeal } from "./seal-check.ts";
import type { Check, CheckName, Fault } from "./verdict.ts";
import { CHECKS, faultOf, refuse } from "./verdict.ts";
import { checkVotes, type VoteCounts } from "./votes-check.ts";

/** What a verification needs. */
export interface VerifyPorts {
  readonly hash: Hash;
  readonly verify: Verify;
  readonly keys: WindowKeys;
}

/** What the reader knows beforehand: keys (hexadecimal) that may sign, and the result that it expects. */
export interface Expectations {
  readonly trusted?: ReadonlySet<string> | undefined;
  readonly result?: string | undefined;
}

/** What a receipt was found to show. `trust` is `trusted` only once every signer was found among the trusted keys. */
export interface Verdict {
  readonly ok: boolean;
  readonly trust: "self-asserted" | "trusted";
  readonly checks: Readonly<Record<CheckName, Check>>;
  readonly fault: Fault | undefined;
  readonly receipt: Receipt | undefined;
  readonly quorum: QuorumNumbers | undefined;
  readonly policy: Policy | undefined;
  readonly votes: VoteCounts | undefined;
  /** Modules that came from a catalogue, once they were checked. */
  readonly locks: readonly ShownLock[];
}

/**
 * Checks a receipt by itself, without its data: nothing is executed again. What it shows is that these keys, by this policy, vouch for
 * exactly this result over exactly these inputs, and that the proved arithmetic holds; not who owns the keys. Never throws for bad
 * input: the fault is in the verdict.
 */
export function verifyReceipt(ports: VerifyPorts, bytes: Uint8Array, expected: Expectations = {}): Verdict {
  const checks = Object.fromEntries(CHECKS.map((name) => [name, { ok: false, count: 0 }])) as Record<CheckName, Check>;
  const passed = (name: CheckName, count: number): void => {
    checks[name] = { ok: true, count };
  };
  let receipt: Receipt | undefined;
  let votes: VoteCounts | undefined;
  let fault: Fault | undefined;
  let locks: readonly ShownLock[] = [];
  try {
    const { rootCid, root, blocks } = readBlocks(ports.hash, bytes);
    passed("blocks", blocks.size);
    passed("links", checkLinks(rootCid, root, blocks));
    receipt = readContents(rootCid, root, blocks);
    const voted = checkVotes(receipt, ports.hash, ports.verify, expected.trusted);
    votes = voted.votes;
    passed("signatures", voted.count);
    const sealed = checkSeal(receipt, ports.hash);
    checkChains(receipt, ports.hash);
    checkHeaders(receipt);
    locks = checkLocks(receipt, ports.verify);
    checkJournals(receipt);
    passed("seal", sealed);
    passed("merkle", checkMerkle(receipt, ports.hash));
    passed("groth16", checkProofs(receipt, ports.hash, ports.keys));
    checkExpected(receipt, expected.result);
  } catch (error) {
    fault = faultOf(error);
  }
  return {
    ok: fault === undefined,
    trust: expected.trusted !== undefined && checks.signatures.ok ? "trusted" : "self-asserted",
    checks,
    fault,
    receipt,
    quorum: receipt === undefined ? undefined : quorumNumbers(receipt.membership),
    policy: receipt?.membership.policy,
    votes,
    locks,
  };
}

function checkExpected({ root }: Receipt, result: string | undefined): void {
  if (result === undefined) return;
  let wanted: CID;
  try {
    wanted = CID.parse(result);
  } catch {
    return refuse("RESULT_UNEXPECTED", "result", "the expected result is not a CID");
  }
  if (!wanted.equals(root.result))
    refuse("RESULT_UNEXPECTED", String(root.result), "the receipt is of another result than expected");
}
