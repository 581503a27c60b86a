import type { CID } from "multiformats/cid";
import { proofsKey } from "../../actors/domain/actor.ts";
import { closedInput } from "../../actors/domain/seal.ts";
import { recordsTo } from "../../actors/node/records.ts";
import { actorIds, type RunNode } from "../../actors/node/run-node.ts";
import type { DomainContext } from "../../machines/domain/step.ts";
import { MACHINES } from "../../machines/registry.ts";
import type { TaskContext } from "../../machines/task/step.ts";
import { type BuiltReceipt, buildReceipt } from "../../proofs/receipt/build.ts";
import type { ReceiptBody } from "../../proofs/receipt/root.ts";
import { parseModuleEntry } from "../consensus/module-entry.ts";
import { takeoversOf } from "../consensus/module-version.ts";
import { parseSeal, type Seal } from "../consensus/statement.ts";
import { IpdmError } from "../core/errors.ts";
import { type Block, decodeBlock, rawBlock } from "../dag/block.ts";
import { decodeCbor } from "../dag/cbor.ts";
import { sha256 } from "../node.ts";
import type { Actor } from "../runtime/kernel.ts";
import { definitionBlock } from "../runtime/machine-definition.ts";

/** What a finished run put into its receipt. */
export interface ReceiptContents {
  readonly receipt: BuiltReceipt;
  readonly result: CID;
  readonly statements: number;
  readonly certificates: number;
  readonly proofs: number;
}

/** Collects the receipt of a sealed run from its submitting node. Throws `NEEDS_DATA`, `INVARIANT`. */
export async function collectReceipt(node: RunNode): Promise<ReceiptContents> {
  const { plan, store, membershipCid, membership, signer } = node.ports;
  const read = async (cid: CID): Promise<Uint8Array> => node.reader.read(cid);
  const { seal } = node.domain.snapshot().context as unknown as DomainContext;
  if (seal === null) throw new IpdmError("INVARIANT", "a receipt is made of a sealed run");
  const byName = plan.tasks.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const statements: CID[] = [];
  const certificates: CID[] = [];
  const proofs: CID[] = [];
  let proofCount = 0;
  for (const task of byName) {
    const { records } = (node.tasks.get(task.name) as Actor).snapshot().context as unknown as TaskContext;
    for (const record of await recordsTo(records.head, read)) {
      statements.push(record.statement);
      certificates.push(record.certificate);
      const made = await store.meta.get(proofsKey(record.statement));
      if (made === undefined) continue;
      const list = (decodeCbor(made) as { proofs: CID[] }).proofs;
      proofs.push(...list);
      for (const cid of list)
        proofCount += (decodeBlock({ cid, bytes: await read(cid) }) as { chunks: unknown[] }).chunks.length;
    }
  }
  const moduleBlocks: Block[] = [];
  for (const { name, module } of byName) {
    if (module !== null) moduleBlocks.push(rawBlock(sha256, module.bytes));
    const taken = takeoversOf(node.ledger.commits(name).map(({ slot }) => slot));
    for (const { version } of typeof taken === "string" ? [] : taken) {
      const { module: cid } = parseModuleEntry(decodeBlock({ cid: version, bytes: await read(version) }));
      moduleBlocks.push({ cid, bytes: await read(cid) });
    }
  }
  const definitions = MACHINES.map((machine) => definitionBlock(sha256, machine));
  await store.blocks.putAll([...moduleBlocks, ...definitions]);
  const ids = actorIds(plan, membership.domain);
  const heads = [
    [ids.domain, node.domain.head()],
    [ids.lake, node.lake.head()],
    ...plan.tasks.map((task) => [ids.task(task), node.tasks.get(task.name)?.head()]),
  ];
  const sealNode = parseSeal(decodeBlock({ cid: seal.statement, bytes: await read(seal.statement) }));
  const receipt = await buildReceipt(
    sha256,
    {
      result: sealNode.result,
      seal: { statement: seal.statement, certificate: seal.certificate },
      config: sealNode.config,
      inputs: Object.keys(sealNode.inputs)
        .sort()
        .map((name) => (sealNode.inputs[name] as Seal["inputs"][string]).anchor),
      modules: [...new Map(moduleBlocks.map(({ cid }) => [cid.toString(), cid])).values()],
      statements,
      certificates,
      proofs,
      membership: membershipCid,
      journals: Object.fromEntries(heads) as Record<string, CID>,
      ...headersOf(node, sealNode),
    },
    read,
    signer,
  );
  return {
    receipt,
    result: sealNode.result,
    statements: statements.length + 1,
    certificates: certificates.length + 1,
    proofs: proofCount,
  };
}

/** The headers of chain inputs, where the sources have them. */
function headersOf(node: RunNode, { inputs }: Seal): Pick<ReceiptBody, "headers"> {
  const links = node.ports.plan.inputs.flatMap((input): [string, CID[]][] => {
    const { headers } = closedInput(node, input, inputs[input.name]?.rows ?? 0);
    return headers.length === 0 ? [] : [[input.name, headers.map(({ cid }) => cid)]];
  });
  return links.length === 0 ? {} : { headers: Object.fromEntries(links) };
}
