import { CID } from "multiformats/cid";
import { SEAL_TASK } from "../../src/consensus/statement.ts";
import { Chain } from "../../src/journal/continuity.ts";
import { decodeEntry, record } from "../../src/journal/entry.ts";
import type { StoredEntry } from "../../src/journal/port.ts";
import type { Receipt } from "./contents.ts";
import { refuse } from "./verdict.ts";

interface Fact {
  readonly type: unknown;
  readonly [key: string]: unknown;
}

/**
 * Checks that the journals are whole and tell of this run: one of the domain, one of its lake and one of each task, each an
 * unbroken chain from its first event, with the certificates that the receipt shows. What machines made of the events is for
 * `replay` to redo. Returns the number of entries.
 */
export function checkJournals(receipt: Receipt): number {
  const kinds = new Map<string, string>();
  let count = 0;
  for (const [actor, head] of Object.entries(receipt.root.journals)) {
    const entries = chainOf(receipt, actor, head);
    const kind = checkOne(
      receipt,
      `journals/${actor}`,
      entries.flatMap(({ entry }) => entry.events.map((event) => record(event) as Fact | undefined)),
    );
    if (kinds.has(kind)) refuse("JOURNAL_MISMATCH", `journals/${actor}`, `there are two journals of ${kind}`);
    kinds.set(kind, actor);
    count += entries.length;
  }
  for (const kind of ["domain", "lake", ...receipt.tasks.map(({ task }) => `task ${task}`)]) {
    if (!kinds.has(kind)) refuse("JOURNAL_MISMATCH", "journals", `the journal of ${kind} is missing`);
  }
  return count;
}

function chainOf({ blocks }: Receipt, actor: string, head: CID): StoredEntry[] {
  const entries: StoredEntry[] = [];
  for (let cid: CID | null = head; cid !== null; ) {
    const block = blocks.get(cid.toString());
    if (block === undefined) return refuse("CAR_LINK_MISSING", `journals/${actor}`, "an entry is missing");
    const entry = decodeEntry(block);
    entries.push({ ...block, entry });
    cid = entry.prev;
  }
  entries.reverse();
  const chain = new Chain(actor);
  for (const stored of entries) {
    const problem = chain.next(stored);
    if (problem !== undefined) refuse("JOURNAL_MISMATCH", `journals/${actor}:${stored.entry.seq}`, problem);
  }
  return entries;
}

/** Says whose journal it is by its first event. */
function checkOne(receipt: Receipt, where: string, facts: readonly (Fact | undefined)[]): string {
  const input = record(facts[0]?.["input"]);
  const machine = record(facts[0]?.["machine"])?.["name"];
  switch (machine) {
    case "domain":
      if (!sameLink(input?.["membership"], receipt.root.membership))
        refuse("JOURNAL_MISMATCH", where, "it is of another membership");
      checkCertified(
        where,
        facts.filter((fact) => fact?.["task"] === SEAL_TASK),
        [receipt.root.seal.certificate],
      );
      return machine;
    case "lake": {
      const sealed = facts.find((fact) => fact?.type === "sealed");
      if (!sameLink(sealed?.["statement"], receipt.root.seal.statement))
        refuse("JOURNAL_MISMATCH", where, "it does not end with the seal");
      return machine;
    }
    case "task": {
      const index = receipt.tasks.findIndex(({ task }) => task === input?.["task"]);
      if (index < 0) return refuse("JOURNAL_MISMATCH", where, "it is of a task that the result does not have");
      const first = receipt.tasks.slice(0, index).reduce((sum, { commits }) => sum + commits.length, 0);
      const own = receipt.tasks[index] as Receipt["tasks"][number];
      checkCertified(where, facts, receipt.root.certificates.slice(first, first + own.commits.length));
      return `task ${own.task}`;
    }
    default:
      return refuse("JOURNAL_MISMATCH", where, "it does not begin with a machine of a run");
  }
}

/** The first certificate that a journal was told for each place is the one shown: it may have been told again after a restart. */
function checkCertified(where: string, facts: readonly (Fact | undefined)[], certificates: readonly CID[]): void {
  const told = new Map<unknown, unknown>();
  for (const fact of facts)
    if (fact?.type === "certified" && !told.has(fact["seq"])) told.set(fact["seq"], fact["certificate"]);
  const differs = certificates.findIndex((certificate, seq) => !sameLink(told.get(seq), certificate));
  if (differs >= 0 || told.size !== certificates.length)
    refuse(
      "JOURNAL_MISMATCH",
      where,
      `it does not tell of the certificate of ${differs < 0 ? certificates.length : differs}`,
    );
}

function sameLink(value: unknown, cid: CID): boolean {
  return CID.asCID(value)?.equals(cid) === true;
}
