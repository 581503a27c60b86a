import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { loadCircuitKey } from "../../../proofs/groth16/circuit-files.ts";
import { ProverPool } from "../../../proofs/groth16/prover-pool.ts";
import { verifyGroth16 } from "../../../proofs/groth16/verifier.ts";
import { WINDOW_CIRCUITS, windowChunk } from "../../../proofs/groth16/window-proof.ts";
import { schemaOf } from "../../batch/schema.ts";
import { rawBlock } from "../../dag/block.ts";
import { LevelStore } from "../../journal/level-store.ts";
import { sha256 } from "../../node.ts";
import { loadModule } from "../../run/modules.ts";
import { openLanes } from "../../sandbox/lane-pool.ts";
import { POLICIES } from "../../sandbox/policy.ts";
import { PACKAGE_FOLDER } from "../package-folder.ts";
import { broken, type Check, type Finding, fine, limited } from "./check.ts";

/** How long a call of a module may take here, in milliseconds. */
const CALL_MS = 10_000;

/** Checks of the runtime's own parts; the store is tried in `folder`. */
export function runtimeChecks(folder: string): Check[] {
  return [
    { name: "store", run: () => storeFinding(folder) },
    { name: "sandbox", run: sandboxFinding },
    { name: "prover", run: proverFinding },
  ];
}

/** LevelDB is the one native module: it has to load, and to give back what it was given. */
async function storeFinding(folder: string): Promise<Finding> {
  const dir = await mkdtemp(join(folder, ".ipdm-doctor-"));
  try {
    const path = join(dir, "store");
    const block = rawBlock(sha256, Uint8Array.of(1, 2, 3));
    const store = await LevelStore.open({ path, hash: sha256 });
    await store.blocks.put(block);
    await store.close();
    const again = await LevelStore.open({ path, hash: sha256 });
    const found = await again.blocks.get(block.cid);
    await again.close();
    if (found !== undefined) return fine("LevelDB opens, and gives back after a restart what was committed");
    return broken("LevelDB lost a block that was committed", "do not use this disk");
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function sandboxFinding(): Promise<Finding> {
  const bytes = new Uint8Array(await readFile(join(PACKAGE_FOLDER, "examples", "flights", "late.wasm")));
  const lane = openLanes({ lanes: 1 });
  try {
    const spec = { ...POLICIES.standard, bytes, cid: "", abi: "ipdm/1", kind: "rows", columns: null } as const;
    const { handle } = await loadModule(lane, { ...spec, timeoutMs: CALL_MS });
    const schema = schemaOf([
      { name: "date", type: "timestamp", nullable: true },
      { name: "delay", type: "i64", nullable: true },
    ]);
    await handle.outputSchema(schema);
    return fine("a module was checked, metered and run in a lane");
  } finally {
    await lane.close();
  }
}

async function proverFinding(signal: AbortSignal): Promise<Finding> {
  const [circuit] = WINDOW_CIRCUITS;
  const { key, provenance } = await loadCircuitKey(circuit);
  const pool = new ProverPool();
  try {
    const began = performance.now();
    const { proof, publicInputs } = await pool.prove(windowChunk(circuit, [1, 2, 3], 1n, 1n), { signal });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    if (!verifyGroth16(key, publicInputs, proof).ok)
      return broken("a zero-knowledge proof that was made does not hold", "install the package again");
    const said = `a zero-knowledge proof was made in ${seconds} s, and holds`;
    if (provenance.production) return fine(said);
    return limited(
      `${said}; its keys are DEVELOPMENT keys`,
      "whoever made them could forge: rely on votes, not on proofs",
    );
  } finally {
    await pool.close();
  }
}
