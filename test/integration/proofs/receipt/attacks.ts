import { CID } from "multiformats/cid";
import type { ReceiptConfig, ReceiptRoot } from "../../../../proofs/receipt/root.ts";
import type { RowProof } from "../../../../proofs/window/row-proof.ts";
import { drawRows, drawSeed } from "../../../../src/consensus/draw.ts";
import type { Membership } from "../../../../src/consensus/membership.ts";
import type { Result, Stage } from "../../../../src/consensus/result.ts";
import type { Slot } from "../../../../src/consensus/slot.ts";
import type { Seal, Statement, TaskState } from "../../../../src/consensus/statement.ts";
import type { Certificate } from "../../../../src/consensus/vote.ts";
import { equalBytes } from "../../../../src/core/bytes.ts";
import type { Signer } from "../../../../src/core/ports.ts";
import type { JournalEntry } from "../../../../src/journal/port.ts";
import { sha256, signerOf } from "../../../../src/node.ts";
import { ROWS } from "./receipt-fixture.ts";
import { byVoter, type Forgery } from "./receipt-forger.ts";

/** Whose keys the forger holds: nobody's, the submitter's, or those of the whole domain. */
export type Power = "none" | "submitter" | "all";

/** What a forger does, with which keys, and the code that must stop it. */
export interface Attack {
  readonly name: string;
  readonly keys: Power;
  readonly code: string;
  /** `other` is a receipt of the same work by the same nodes in another epoch. */
  readonly forge: (forgery: Forgery, other: Forgery, signers: readonly Signer[]) => void;
}

/** A key of nobody in the domain. */
export const STRANGER = signerOf(new Uint8Array(32).fill(7));

const cut = <T>(list: readonly T[], index: number): T[] => list.filter((_, i) => i !== index);
const swap = <T>(list: readonly T[], a: number, b: number): T[] =>
  list.map((item, i) => (i === a ? (list[b] as T) : i === b ? (list[a] as T) : item));
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
const rest = (root: ReceiptRoot, statement: number): Partial<ReceiptRoot> => ({
  statements: cut(root.statements, statement),
  certificates: cut(root.certificates, statement),
});

function drop(forgery: Forgery, task: string, seq: number): void {
  const { index } = forgery.place(task, seq);
  forgery.editRoot((root) => rest(root, index));
}

function editSlot(forgery: Forgery, task: string, seq: number, change: (slot: Slot) => Slot): void {
  forgery.edit<Slot>(forgery.place(task, seq).slot, change);
}

function editStatement(forgery: Forgery, task: string, seq: number, change: (statement: Statement) => Statement): void {
  forgery.edit<Statement>(forgery.place(task, seq).statement, change);
}

function editCertificate(
  forgery: Forgery,
  task: string,
  seq: number,
  change: (certificate: Certificate) => Certificate,
): void {
  forgery.edit<Certificate>(forgery.place(task, seq).certificate, change);
}

function editSeal(forgery: Forgery, change: (seal: Seal) => Seal): void {
  forgery.edit<Seal>(forgery.root.seal.statement, change);
}

function editState(forgery: Forgery, task: string, seq: number, change: (state: TaskState) => TaskState): void {
  forgery.edit<TaskState>(forgery.get<Statement>(forgery.place(task, seq).statement).state.after, change);
}

function editProof(forgery: Forgery, index: number, change: (proof: RowProof) => RowProof): void {
  forgery.edit<RowProof>(forgery.root.proofs[index] as CID, change);
}

/** Adds an event to the end of a journal. */
function journal(forgery: Forgery, prefix: string, event: unknown): void {
  const [actor, head] = forgery.journal(prefix);
  const last = forgery.get<JournalEntry>(head);
  const entry = forgery.add({
    v: 1,
    actor,
    seq: last.seq + last.events.length,
    prev: head,
    events: [event],
    requests: [],
  });
  forgery.editRoot((root) => ({ journals: { ...root.journals, [actor]: entry } }));
}

/** Copies a node and what it links from another receipt. */
function graft(forgery: Forgery, other: Forgery, cid: CID): CID {
  const copy = (value: unknown): void => {
    const link = typeof value === "object" && value !== null ? CID.asCID(value) : null;
    if (link !== null && other.get(link) !== undefined && forgery.get(link) === undefined) graft(forgery, other, link);
    else if (link === null && typeof value === "object" && value !== null && !(value instanceof Uint8Array))
      Object.values(value).forEach(copy);
  };
  const node = other.get<object>(cid);
  forgery.add(node);
  copy(node);
  return cid;
}

/** What nobody without keys can change, and what the submitter's own key does not help with either. */
const MEMBERS: readonly Attack[] = [
  {
    name: "quorum lowered",
    keys: "submitter",
    code: "SIGNATURE_INVALID",
    forge: (f) =>
      f.edit<Membership>(f.root.membership, (node) => ({
        ...node,
        members: node.members.slice(0, 1),
        submitter: node.members[0] as Uint8Array,
        quorum: 1,
      })),
  },
  {
    name: "membership exchanged in the root alone",
    keys: "all",
    code: "MEMBERSHIP_MISMATCH",
    forge: (f) => f.editRoot((root) => ({ membership: f.add({ ...f.get<Membership>(root.membership), quorum: 3 }) })),
  },
  {
    name: "policy lowered",
    keys: "submitter",
    code: "SIGNATURE_INVALID",
    forge: (f) =>
      f.edit<Membership>(f.root.membership, (node) => ({ ...node, policy: { verify: "sample", share: 1 } })),
  },
  {
    name: "slot by another member",
    keys: "all",
    code: "SIGNATURE_INVALID",
    forge: (f, _, signers) =>
      editSlot(f, "delayed", 1, (slot) => ({ ...slot, submitter: (signers[1] as Signer).publicKey })),
  },
  {
    name: "slot of another epoch",
    keys: "all",
    code: "SIGNATURE_INVALID",
    forge: (f) => editSlot(f, "delayed", 1, (slot) => ({ ...slot, epoch: slot.epoch + 1 })),
  },
  {
    name: "slot of another domain",
    keys: "all",
    code: "SIGNATURE_INVALID",
    forge: (f) => editSlot(f, "delayed", 1, (slot) => ({ ...slot, domain: "elsewhere" })),
  },
  {
    name: "prove lowered",
    keys: "submitter",
    code: "SIGNATURE_INVALID",
    forge: (f) => f.edit<ReceiptConfig>(f.root.config, (node) => ({ ...node, prove: { daily: 1 } })),
  },
  {
    name: "prove lowered beside the seal",
    keys: "submitter",
    code: "SEAL_MISMATCH",
    forge: (f) => f.editRoot((root) => ({ config: f.add({ ...f.get<ReceiptConfig>(root.config), prove: {} }) })),
  },
  {
    name: "keys called production",
    keys: "submitter",
    code: "SEAL_MISMATCH",
    forge: (f) =>
      f.editRoot((root) => ({
        config: f.add({
          ...f.get<ReceiptConfig>(root.config),
          circuits: f.get<ReceiptConfig>(root.config).circuits.map((circuit) => ({ ...circuit, production: true })),
        }),
      })),
  },
];

const VOTES: readonly Attack[] = [
  {
    name: "a vote by a stranger",
    keys: "all",
    code: "VOTE_STRANGER",
    forge: (f) =>
      editCertificate(f, "delayed", 1, (node) => ({
        ...node,
        votes: byVoter([
          node.votes[0] as Certificate["votes"][number],
          { ...(node.votes[1] as Certificate["votes"][number]), voter: STRANGER.publicKey },
        ]),
      })),
  },
  {
    name: "a vote twice",
    keys: "all",
    code: "CERTIFICATE_MALFORMED",
    forge: (f) =>
      editCertificate(f, "delayed", 1, (node) => ({
        ...node,
        votes: [node.votes[0] as Certificate["votes"][number], node.votes[0] as Certificate["votes"][number]],
      })),
  },
  {
    name: "votes in another order",
    keys: "submitter",
    code: "CERTIFICATE_MALFORMED",
    forge: (f) => editCertificate(f, "delayed", 1, (node) => ({ ...node, votes: node.votes.toReversed() })),
  },
  {
    name: "too few votes",
    keys: "submitter",
    code: "QUORUM_MISSING",
    forge: (f) => editCertificate(f, "delayed", 1, (node) => ({ ...node, votes: node.votes.slice(0, 1) })),
  },
  {
    name: "votes for another slot",
    keys: "submitter",
    code: "VOTE_MISMATCH",
    forge: (f) =>
      editCertificate(f, "delayed", 1, (node) => ({
        ...node,
        votes: f.get<Certificate>(f.place("delayed", 0).certificate).votes,
      })),
  },
  {
    name: "votes of another epoch",
    keys: "submitter",
    code: "VOTE_MISMATCH",
    forge: (f, other) => {
      const { votes } = other.get<Certificate>(graft(f, other, other.place("delayed", 1).certificate));
      editCertificate(f, "delayed", 1, (node) => ({ ...node, votes }));
    },
  },
  {
    name: "certificates exchanged",
    keys: "submitter",
    code: "VOTE_MISMATCH",
    forge: (f) =>
      f.editRoot((root) => ({
        certificates: swap(root.certificates, f.place("delayed", 0).index, f.place("delayed", 1).index),
      })),
  },
  {
    name: "a certificate of another epoch",
    keys: "submitter",
    code: "VOTE_MISMATCH",
    forge: (f, other) =>
      f.editRoot((root) => ({
        certificates: root.certificates.map((cid, i) =>
          i === f.place("delayed", 1).index ? graft(f, other, other.place("delayed", 1).certificate) : cid,
        ),
      })),
  },
  {
    name: "a vote that did not execute",
    keys: "all",
    code: "VOTE_WEAK",
    forge: (f) =>
      editCertificate(f, "delayed", 1, (node) => ({
        ...node,
        votes: node.votes.map((vote) => ({ ...vote, executed: false })),
      })),
  },
  {
    name: "votes by a weaker policy",
    keys: "all",
    code: "VOTE_WEAK",
    forge: (f) =>
      editCertificate(f, "delayed", 1, (node) => ({
        ...node,
        votes: node.votes.map((vote) => ({ ...vote, policy: { verify: "sample" as const, share: 999_999 } })),
      })),
  },
  {
    name: "a vote made stronger",
    keys: "submitter",
    code: "SIGNATURE_INVALID",
    forge: (f) =>
      editCertificate(f, "delayed", 1, (node) => ({
        ...node,
        votes: node.votes.map((vote) => ({
          ...vote,
          inputs: vote.inputs === "read" ? ("fetched" as const) : ("read" as const),
        })),
      })),
  },
  {
    name: "no challenges",
    keys: "all",
    code: "DRAW_MISMATCH",
    forge: (f) => editCertificate(f, "daily", lastOf(f, "daily"), (node) => ({ ...node, challenges: [] })),
  },
  {
    name: "a challenge by the submitter",
    keys: "all",
    code: "DRAW_MISMATCH",
    forge: (f, _, signers) =>
      editCertificate(f, "daily", lastOf(f, "daily"), (node) => ({
        ...node,
        challenges: byVoter(
          node.challenges.map((challenge, i) =>
            i === 0 ? { ...challenge, voter: (signers[0] as Signer).publicKey } : challenge,
          ),
        ),
      })),
  },
  {
    name: "a challenge by a stranger",
    keys: "all",
    code: "VOTE_STRANGER",
    forge: (f) =>
      editCertificate(f, "daily", lastOf(f, "daily"), (node) => ({
        ...node,
        challenges: byVoter(
          node.challenges.map((challenge, i) => (i === 0 ? { ...challenge, voter: STRANGER.publicKey } : challenge)),
        ),
      })),
  },
  {
    name: "a challenge for another statement",
    keys: "all",
    code: "VOTE_MISMATCH",
    forge: (f) =>
      editCertificate(f, "daily", lastOf(f, "daily"), (node) => ({
        ...node,
        challenges: node.challenges.map((challenge) => ({ ...challenge, statement: f.place("delayed", 0).statement })),
      })),
  },
  {
    name: "a challenge altered",
    keys: "submitter",
    code: "SIGNATURE_INVALID",
    forge: (f) =>
      editCertificate(f, "daily", lastOf(f, "daily"), (node) => ({
        ...node,
        challenges: node.challenges.map((challenge) => ({ ...challenge, nonce: flip(challenge.nonce) })),
      })),
  },
  { name: "challenges that draw other rows", keys: "all", code: "PROOF_ROW_MISMATCH", forge: drawOthers },
  {
    name: "nothing drawn where windows are to be proved",
    keys: "all",
    code: "PROOF_UNCOVERED",
    forge: (f) => {
      f.editRoot(() => ({ proofs: [] }));
      editCertificate(f, "daily", lastOf(f, "daily"), (node) => ({
        ...node,
        challenges: [],
        votes: node.votes.map((vote) => ({ ...vote, draw: null })),
      }));
    },
  },
];

/** Slots of other work in the place of this run's. */
const WORKS: readonly Attack[] = [
  {
    name: "a slot of other work among those of a task",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) =>
      editSlot(f, "delayed", 1, (slot) => ({ ...slot, key: f.add({ ...f.get<object>(slot.key), cut: 7 }) })),
  },
  {
    name: "all slots of a task under the key of another cut",
    keys: "all",
    code: "WORK_MISMATCH",
    forge: (f) => f.edit<object>(f.get<Slot>(f.place("delayed", 0).slot).key, (node) => ({ ...node, cut: 7 })),
  },
  {
    name: "all slots of a task under a key that says nothing",
    keys: "all",
    code: "WORK_MISMATCH",
    forge: (f) => f.edit<object>(f.get<Slot>(f.place("daily", 0).slot).key, () => ({})),
  },
  {
    name: "fewer proofs asked for than the slots say, agreed by all",
    keys: "all",
    code: "WORK_MISMATCH",
    forge: (f) => f.edit<ReceiptConfig>(f.root.config, (node) => ({ ...node, prove: { daily: 1 } })),
  },
  {
    name: "a seal of a run of another name",
    keys: "all",
    code: "WORK_MISMATCH",
    forge: (f) => f.edit<ReceiptConfig>(f.root.config, (node) => ({ ...node, name: "another" })),
  },
  {
    name: "a seal of a run of other tasks",
    keys: "all",
    code: "WORK_MISMATCH",
    forge: (f) =>
      f.edit<{ tasks: object }>(f.get<Slot>(f.get<Seal>(f.root.seal.statement).slot).key, (node) => ({
        ...node,
        tasks: {},
      })),
  },
];

const COVERAGE: readonly Attack[] = [
  { name: "a statement left out", keys: "all", code: "COVERAGE_GAP", forge: (f) => drop(f, "delayed", 1) },
  {
    name: "a statement left out, the numbers patched",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) => {
      const { input } = f.get<Slot>(f.place("delayed", 1).slot);
      const third = f.place("delayed", 2);
      drop(f, "delayed", 1);
      f.editRoot(() => ({ journals: {} }));
      f.edit<Slot>(third.slot, (slot) => ({ ...slot, seq: 1, input: { ...slot.input, from: input.from } }));
      f.edit<Statement>(third.statement, (node) => ({ ...node, input: { ...node.input, from: input.from } }));
    },
  },
  { name: "the last statement left out", keys: "all", code: "COVERAGE_GAP", forge: (f) => drop(f, "delayed", 2) },
  {
    name: "the last statement left out, the one before made the last",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) => {
      const { tables } = f.get<Statement>(f.place("delayed", 2).statement);
      drop(f, "delayed", 2);
      editSlot(f, "delayed", 1, (slot) => ({ ...slot, input: { ...slot.input, end: true } }));
      editStatement(f, "delayed", 1, (node) => ({ ...node, tables }));
    },
  },
  {
    name: "statements in another order",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) =>
      f.editRoot((root) => {
        const [a, b] = [f.place("delayed", 0).index, f.place("delayed", 1).index];
        return { statements: swap(root.statements, a, b), certificates: swap(root.certificates, a, b) };
      }),
  },
  {
    name: "statements of tasks mixed",
    keys: "all",
    code: "RECEIPT_SHAPE",
    forge: (f) =>
      f.editRoot((root) => {
        const [a, b] = [f.place("daily", 0).index, f.place("delayed", 0).index];
        return { statements: swap(root.statements, a, b), certificates: swap(root.certificates, a, b) };
      }),
  },
  {
    name: "a statement twice",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) =>
      f.editRoot((root) => {
        const { index } = f.place("delayed", 1);
        return {
          statements: root.statements.toSpliced(index, 0, root.statements[index] as CID),
          certificates: root.certificates.toSpliced(index, 0, root.certificates[index] as CID),
        };
      }),
  },
  {
    name: "a statement without certificate",
    keys: "all",
    code: "RECEIPT_SHAPE",
    forge: (f) => f.editRoot((root) => ({ certificates: root.certificates.slice(0, -1) })),
  },
  {
    name: "a task without statements",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) => [2, 1, 0].forEach((seq) => drop(f, "delayed", seq)),
  },
  {
    name: "a statement of another task",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) => {
      const { stage } = f.get<Statement>(f.place("daily", 0).statement);
      editStatement(f, "delayed", 1, (node) => ({ ...node, stage }));
    },
  },
  {
    name: "ranges that overlap",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) => {
      editSlot(f, "delayed", 1, (slot) => ({ ...slot, input: { ...slot.input, from: slot.input.from - 2 } }));
      editStatement(f, "delayed", 1, (node) => ({ ...node, input: { ...node.input, from: node.input.from - 2 } }));
    },
  },
  {
    name: "a range that skips rows",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) => {
      editSlot(f, "delayed", 1, (slot) => ({
        ...slot,
        input: {
          ...slot.input,
          from: slot.input.from + 2,
          rows: slot.input.rows - 2,
          batches: slot.input.batches.slice(1),
        },
      }));
      editStatement(f, "delayed", 1, (node) => ({
        ...node,
        input: { from: node.input.from + 2, rows: node.input.rows - 2 },
      }));
    },
  },
  {
    name: "a statement for other rows than its slot",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) =>
      editStatement(f, "delayed", 1, (node) => ({ ...node, input: { ...node.input, rows: node.input.rows - 1 } })),
  },
  {
    name: "an input that has more rows",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) =>
      editSeal(f, (seal) => ({
        ...seal,
        inputs: { flights: { ...(seal.inputs["flights"] as Seal["inputs"][string]), rows: 9999 } },
      })),
  },
  {
    name: "a batch of the task before left out",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) =>
      editSlot(f, "daily", 0, (slot) => ({ ...slot, input: { ...slot.input, batches: slot.input.batches.slice(1) } })),
  },
  {
    name: "batches of the task before, those of another slot",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) => {
      const { batches } = f.get<Slot>(f.place("daily", 1).slot).input;
      editSlot(f, "daily", 0, (slot) => ({ ...slot, input: { ...slot.input, batches } }));
    },
  },
  {
    name: "a broken chain of states",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) =>
      editStatement(f, "delayed", 2, (node) => ({
        ...node,
        state: { ...node.state, before: f.get<Statement>(f.place("delayed", 0).statement).state.after },
      })),
  },
  {
    name: "an output that counts other rows",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) =>
      editStatement(f, "delayed", 1, (node) => ({
        ...node,
        outputs: { main: { ...(node.outputs["main"] as Statement["outputs"][string]), rows: 1 } },
      })),
  },
  {
    name: "a seal over fewer statements",
    keys: "all",
    code: "SEAL_MISMATCH",
    forge: (f) =>
      editSeal(f, (seal) => ({ ...seal, statements: { ...seal.statements, count: 1 - seal.statements.count } })),
  },
  {
    name: "a seal over others",
    keys: "all",
    code: "SEAL_MISMATCH",
    forge: (f) =>
      editSeal(f, (seal) => ({
        ...seal,
        statements: { root: flip(seal.statements.root), count: -seal.statements.count },
      })),
  },
  {
    name: "a seal that is no seal's slot",
    keys: "all",
    code: "SEAL_MISMATCH",
    forge: (f) => f.edit<Slot>(f.get<Seal>(f.root.seal.statement).slot, (slot) => ({ ...slot, seq: 1 })),
  },
];

const RESULTS: readonly Attack[] = [
  {
    name: "another window, in the result alone",
    keys: "all",
    code: "STAGE_MISMATCH",
    forge: (f) =>
      f.edit<Result>(f.root.result, (result) => ({
        ...result,
        tasks: {
          ...result.tasks,
          daily: {
            ...(result.tasks["daily"] as Result["tasks"][string]),
            operator: { ...result.tasks["daily"]?.operator, sizeUs: 3_600_000_000 } as Stage["operator"],
          },
        },
      })),
  },
  {
    name: "another window, in stage and result",
    keys: "submitter",
    code: "SIGNATURE_INVALID",
    forge: (f) => {
      const change = (operator: Stage["operator"]): Stage["operator"] =>
        ({ ...operator, sizeUs: 3_600_000_000 }) as Stage["operator"];
      f.edit<Stage>(f.get<Slot>(f.place("daily", 0).slot).stage, (stage) => ({
        ...stage,
        operator: change(stage.operator),
      }));
      f.edit<Result>(f.root.result, (result) => ({
        ...result,
        tasks: {
          ...result.tasks,
          daily: {
            ...(result.tasks["daily"] as Result["tasks"][string]),
            operator: change((result.tasks["daily"] as Result["tasks"][string]).operator),
          },
        },
      }));
    },
  },
  {
    name: "the result renamed",
    keys: "submitter",
    code: "SIGNATURE_INVALID",
    forge: (f) =>
      f.edit<Result>(f.root.result, (result) => ({
        ...result,
        outputs: { other: result.outputs["table"] as Result["outputs"][string] },
      })),
  },
  {
    name: "an output renamed by the domain, but not in the seal",
    keys: "all",
    code: "SEAL_MISMATCH",
    forge: (f) =>
      f.edit<Result>(f.root.result, (result) => ({
        ...result,
        outputs: { other: result.outputs["table"] as Result["outputs"][string] },
      })),
  },
  {
    name: "another result in the root",
    keys: "all",
    code: "SEAL_MISMATCH",
    forge: (f) => f.editRoot((root) => ({ result: f.add({ ...f.get<Result>(root.result), outputs: {} }) })),
  },
  {
    name: "another file in the result alone",
    keys: "all",
    code: "STAGE_MISMATCH",
    forge: (f) =>
      f.edit<Result>(f.root.result, (result) => ({
        ...result,
        inputs: { flights: f.add({ ...f.get<object>(result.inputs["flights"] as CID), bytes: 1 }) },
      })),
  },
  {
    name: "another file in result and seal",
    keys: "all",
    code: "STAGE_MISMATCH",
    forge: (f) => {
      const anchor = f.add({ ...f.get<object>(f.root.inputs[0] as CID), bytes: 1 });
      f.edit<Result>(f.root.result, (result) => ({ ...result, inputs: { flights: anchor } }));
      editSeal(f, (seal) => ({ ...seal, inputs: { flights: { rows: ROWS, anchor } } }));
      f.editRoot(() => ({ inputs: [anchor] }));
    },
  },
  {
    name: "an input that nothing reads",
    keys: "all",
    code: "COVERAGE_GAP",
    forge: (f) => {
      const [anchor] = f.root.inputs as [CID];
      f.edit<Result>(f.root.result, (result) => ({ ...result, inputs: { ...result.inputs, more: anchor } }));
      editSeal(f, (seal) => ({ ...seal, inputs: { ...seal.inputs, more: { rows: 5, anchor } } }));
      f.editRoot(() => ({ inputs: [anchor, anchor] }));
    },
  },
  {
    name: "an input listed twice",
    keys: "submitter",
    code: "SEAL_MISMATCH",
    forge: (f) => f.editRoot((root) => ({ inputs: [...root.inputs, ...root.inputs] })),
  },
  {
    name: "a statement by another module",
    keys: "all",
    code: "STAGE_MISMATCH",
    forge: (f) =>
      editStatement(f, "delayed", 1, (node) => ({
        ...node,
        module: { ...(node.module as NonNullable<Statement["module"]>), original: f.root.membership },
      })),
  },
  {
    name: "another module listed",
    keys: "submitter",
    code: "STAGE_MISMATCH",
    forge: (f) => f.editRoot((root) => ({ modules: [...root.modules, f.add(Uint8Array.of(0, 97, 115, 109))] })),
  },
  {
    name: "the module withheld",
    keys: "submitter",
    code: "RECEIPT_SHAPE",
    forge: (f) => f.editRoot(() => ({ modules: [] })),
  },
  {
    name: "an output with another root",
    keys: "all",
    code: "SEAL_MISMATCH",
    forge: (f) =>
      editSeal(f, (seal) => ({
        ...seal,
        outputs: { table: { ...(seal.outputs["table"] as Seal["outputs"][string]), root: new Uint8Array(32) } },
      })),
  },
  {
    name: "an output with another root, everywhere but in the state",
    keys: "all",
    code: "MERKLE_MISMATCH",
    forge: (f) => {
      const root = new Uint8Array(32).fill(1);
      editSeal(f, (seal) => ({
        ...seal,
        outputs: { table: { ...(seal.outputs["table"] as Seal["outputs"][string]), root } },
      }));
      f.edit<Result>(f.root.result, (result) => ({
        ...result,
        outputs: { table: { ...(result.outputs["table"] as Result["outputs"][string]), root } },
      }));
      editStatement(f, "daily", lastOf(f, "daily"), (node) => ({
        ...node,
        tables: {
          ...node.tables,
          main: { ...(node.tables?.["main"] as NonNullable<Statement["tables"]>[string]), root },
        },
      }));
    },
  },
  {
    name: "a state of other rows",
    keys: "all",
    code: "MERKLE_MISMATCH",
    forge: (f) => editState(f, "delayed", 1, (state) => ({ ...state, rowsIn: state.rowsIn + 1 })),
  },
  {
    name: "a state that counts other leaves",
    keys: "all",
    code: "MERKLE_MISMATCH",
    forge: (f) =>
      editState(f, "daily", 0, (state) => ({
        ...state,
        outputs: {
          ...state.outputs,
          main: { rows: state.outputs["main"]?.rows ?? 0, leaves: 4, frontier: [new Uint8Array(32)] },
        },
      })),
  },
  {
    name: "a frontier that is none",
    keys: "all",
    code: "FRONTIER_MALFORMED",
    forge: (f) =>
      editState(f, "delayed", 1, (state) => ({
        ...state,
        outputs: { main: { ...(state.outputs["main"] as TaskState["outputs"][string]), frontier: [] } },
      })),
  },
  {
    name: "a frontier over other rows",
    keys: "all",
    code: "MERKLE_MISMATCH",
    forge: (f) =>
      editState(f, "delayed", 0, (state) => ({
        ...state,
        outputs: {
          main: {
            ...(state.outputs["main"] as TaskState["outputs"][string]),
            frontier: (state.outputs["main"]?.frontier ?? []).map(flip),
          },
        },
      })),
  },
  {
    name: "an output that the state does not know",
    keys: "all",
    code: "MERKLE_MISMATCH",
    forge: (f) =>
      editState(f, "daily", 0, (state) => ({
        ...state,
        outputs: { main: state.outputs["main"] as TaskState["outputs"][string] },
      })),
  },
];

const PROOFS: readonly Attack[] = [
  {
    name: "a proof left out",
    keys: "submitter",
    code: "PROOF_UNCOVERED",
    forge: (f) => f.editRoot((root) => ({ proofs: root.proofs.slice(1) })),
  },
  {
    name: "a proof twice",
    keys: "submitter",
    code: "PROOF_UNCOVERED",
    forge: (f) => f.editRoot((root) => ({ proofs: [root.proofs[0] as CID, root.proofs[0] as CID] })),
  },
  {
    name: "a proof twice, agreed by all",
    keys: "all",
    code: "PROOF_ROW_MISMATCH",
    forge: (f) => f.editRoot((root) => ({ proofs: [root.proofs[0] as CID, root.proofs[0] as CID] })),
  },
  {
    name: "proofs in another order",
    keys: "submitter",
    code: "PROOF_UNCOVERED",
    forge: (f) => f.editRoot((root) => ({ proofs: root.proofs.toReversed() })),
  },
  {
    name: "a proof of another window",
    keys: "all",
    code: "PROOF_CONTEXT_MISMATCH",
    forge: (f) => {
      const other = f.get<RowProof>(f.root.proofs[1] as CID);
      editProof(f, 0, (proof) => ({ ...proof, chunks: other.chunks }));
    },
  },
  {
    name: "a proof of another run",
    keys: "submitter",
    code: "PROOF_UNCOVERED",
    forge: (f, other) =>
      f.editRoot((root) => ({ proofs: [graft(f, other, other.root.proofs[0] as CID), ...root.proofs.slice(1)] })),
  },
  {
    name: "one proof more, of another run",
    keys: "submitter",
    code: "PROOF_CONTEXT_MISMATCH",
    forge: (f, other) =>
      f.editRoot((root) => ({ proofs: [...root.proofs, graft(f, other, other.root.proofs[0] as CID)] })),
  },
  {
    name: "proof bytes of another run",
    keys: "all",
    code: "PROOF_CONTEXT_MISMATCH",
    forge: (f, other) =>
      editProof(f, 0, (proof) => ({ ...proof, chunks: other.get<RowProof>(other.root.proofs[0] as CID).chunks })),
  },
  {
    name: "a proof that does not hold",
    keys: "submitter",
    code: "PROOF_REJECTED",
    forge: (f) => {
      const other = f.get<RowProof>(f.root.proofs[1] as CID);
      editProof(f, 0, (proof) => ({
        ...proof,
        chunks: proof.chunks.map((chunk, i) => ({ ...chunk, proof: (other.chunks[i] ?? chunk).proof })),
      }));
    },
  },
  {
    name: "another output row",
    keys: "submitter",
    code: "PROOF_UNCOVERED",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, values: flip(proof.values.toReversed()).toReversed() })),
  },
  {
    name: "another output row, agreed by all",
    keys: "all",
    code: "PROOF_ROW_MISMATCH",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, values: flip(proof.values.toReversed()).toReversed() })),
  },
  {
    name: "a row elsewhere in the table",
    keys: "all",
    code: "PROOF_ROW_MISMATCH",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, row: proof.row + 1 })),
  },
  {
    name: "another path",
    keys: "submitter",
    code: "PROOF_ROW_MISMATCH",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, path: proof.path.slice(1) })),
  },
  {
    name: "more rows without value",
    keys: "submitter",
    code: "PROOF_UNCOVERED",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, nulls: proof.nulls + 1 })),
  },
  {
    name: "another column",
    keys: "all",
    code: "PROOF_CONTEXT_MISMATCH",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, column: "distance" })),
  },
  {
    name: "another output of the task",
    keys: "all",
    code: "PROOF_CONTEXT_MISMATCH",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, port: "late" })),
  },
  {
    name: "another circuit's name",
    keys: "all",
    code: "PROOF_KEY_UNKNOWN",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, circuit: "window-8x8" })),
  },
  {
    name: "another key",
    keys: "submitter",
    code: "PROOF_KEY_UNKNOWN",
    forge: (f) => editProof(f, 0, (proof) => ({ ...proof, key: new Uint8Array(32) })),
  },
];

const JOURNALS: readonly Attack[] = [
  {
    name: "a second certificate hidden in a journal",
    keys: "all",
    code: "CERTIFICATE_DUPLICATE",
    forge: (f) =>
      journal(f, "domain/", {
        type: "observed",
        certificate: f.add({
          ...f.get<Certificate>(f.place("delayed", 0).certificate),
          votes: f.get<Certificate>(f.place("delayed", 0).certificate).votes.slice(0, 1),
        }),
      }),
  },
  {
    name: "a conflicting certificate hidden in a journal",
    keys: "all",
    code: "CONFLICTING_CERTIFICATES",
    forge: (f) =>
      journal(f, "domain/", {
        type: "observed",
        certificate: f.add({
          ...f.get<Certificate>(f.place("delayed", 0).certificate),
          statement: f.place("delayed", 1).statement,
        }),
      }),
  },
  {
    name: "a certificate for a second slot at one place",
    keys: "all",
    code: "CONFLICTING_CERTIFICATES",
    forge: (f) => {
      const { slot, certificate } = f.place("delayed", 0);
      const node = f.get<Slot>(slot);
      const second = f.add({
        ...node,
        input: { ...node.input, rows: node.input.rows - 2, batches: node.input.batches.slice(1) },
      });
      journal(f, "task/delayed/", {
        type: "observed",
        certificate: f.add({
          ...f.get<Certificate>(certificate),
          slot: second,
          statement: f.place("delayed", 1).statement,
        }),
      });
    },
  },
  {
    name: "no journals",
    keys: "submitter",
    code: "JOURNAL_MISMATCH",
    forge: (f) => f.editRoot(() => ({ journals: {} })),
  },
  {
    name: "a journal left out",
    keys: "submitter",
    code: "JOURNAL_MISMATCH",
    forge: (f) =>
      f.editRoot((root) => ({
        journals: Object.fromEntries(
          Object.entries(root.journals).filter(([actor]) => !actor.startsWith("task/delayed/")),
        ),
      })),
  },
  {
    name: "a journal cut short",
    keys: "submitter",
    code: "JOURNAL_MISMATCH",
    forge: (f) => {
      const [actor, head] = f.journal("task/delayed/");
      let entry = f.get<JournalEntry>(head);
      while (!entry.events.some((event) => (event as { type: string }).type === "certified"))
        entry = f.get<JournalEntry>(entry.prev as CID);
      f.editRoot((root) => ({ journals: { ...root.journals, [actor]: entry.prev as CID } }));
    },
  },
  {
    name: "a journal without its beginning",
    keys: "submitter",
    code: "ENTRY_MALFORMED",
    forge: (f) => {
      let cid = f.journal("task/delayed/")[1];
      while (f.get<JournalEntry>(f.get<JournalEntry>(cid).prev as CID).prev !== null)
        cid = f.get<JournalEntry>(cid).prev as CID;
      f.edit<JournalEntry>(cid, (entry) => ({ ...entry, prev: null }));
    },
  },
  {
    name: "a journal of another actor",
    keys: "submitter",
    code: "JOURNAL_MISMATCH",
    forge: (f) =>
      f.editRoot((root) => ({
        journals: { ...root.journals, [f.journal("task/delayed/")[0]]: f.journal("task/daily/")[1] },
      })),
  },
  {
    name: "a journal of another epoch",
    keys: "submitter",
    code: "JOURNAL_MISMATCH",
    forge: (f, other) =>
      f.editRoot((root) => {
        const [actor, head] = other.journal("lake/");
        const journals = Object.fromEntries(
          Object.entries(root.journals).filter(([name]) => !name.startsWith("lake/")),
        );
        return { journals: { ...journals, [actor]: graft(f, other, head) } };
      }),
  },
];

const SHAPES: readonly Attack[] = [
  {
    name: "a batch put into the receipt",
    keys: "submitter",
    code: "RECEIPT_SHAPE",
    forge: (f) => journal(f, "lake/", { type: "wanted", output: f.add(Uint8Array.of(1, 2, 3)) }),
  },
  {
    name: "a node with one key more",
    keys: "all",
    code: "NODE_MALFORMED",
    forge: (f) => editStatement(f, "delayed", 0, (node) => ({ ...node, note: "" }) as Statement),
  },
  {
    name: "a root with one key more",
    keys: "submitter",
    code: "NODE_MALFORMED",
    forge: (f) => f.editRoot((root) => ({ ...root, note: "" }) as Partial<ReceiptRoot>),
  },
  {
    name: "a row count that is no number",
    keys: "all",
    code: "NODE_MALFORMED",
    forge: (f) =>
      editSeal(f, (seal) => ({
        ...seal,
        inputs: { flights: { ...(seal.inputs["flights"] as Seal["inputs"][string]), rows: -1 } },
      })),
  },
  {
    name: "a task called like the seal",
    keys: "all",
    code: "RECEIPT_SHAPE",
    forge: (f) =>
      f.edit<Result>(f.root.result, (result) => ({
        ...result,
        tasks: { ...result.tasks, $seal: result.tasks["daily"] as Result["tasks"][string] },
      })),
  },
];

/** Every attack of this suite. */
export const ATTACKS: readonly Attack[] = [
  ...MEMBERS,
  ...VOTES,
  ...WORKS,
  ...COVERAGE,
  ...RESULTS,
  ...PROOFS,
  ...JOURNALS,
  ...SHAPES,
];

function lastOf(forgery: Forgery, task: string): number {
  return (
    forgery.root.statements.filter((cid) => forgery.get<Slot>(forgery.get<Statement>(cid).slot).task === task).length -
    1
  );
}

/** Other nonces, until they draw other rows than those proved. */
function drawOthers(forgery: Forgery): void {
  const { statement, certificate } = forgery.place("daily", lastOf(forgery, "daily"));
  const rows = forgery.get<Statement>(statement).tables?.["main"]?.rows ?? 0;
  const proved = forgery.root.proofs.map((cid) => forgery.get<RowProof>(cid).row);
  forgery.edit<Certificate>(certificate, (node) => {
    for (let attempt = 0; attempt < 256; attempt++) {
      const challenges = node.challenges.map((challenge) => ({
        ...challenge,
        nonce: challenge.nonce.map((byte) => byte ^ attempt),
      }));
      const drawn = drawRows(sha256, drawSeed(sha256, statement, challenges), rows, 2);
      const unchanged = challenges.every(({ nonce }, i) => equalBytes(nonce, node.challenges[i]?.nonce ?? nonce));
      if (!unchanged && proved.some((row) => !drawn.includes(row))) return { ...node, challenges };
    }
    return node;
  });
}
