// SPDX-License-Identifier: GPL-3.0-or-later
// Entry of a prover process. Its parent forks it, sends one request at a time over the IPC channel, and ends it by
// closing the channel or by a signal. Nothing of the runtime is imported here, nor this file by the runtime.
import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { cpuUsage, exit, resourceUsage } from "node:process";
import { type Curve, curves, groth16, wtns } from "snarkjs";
import type { ProveRequest, ProverReply, ProverRequest, VerifyRequest } from "./messages.ts";

/** Circuits kept in memory: key and witness program, 13 MB for the window circuit. */
const CIRCUITS_KEPT_MAX = 4;
/** Longest text of a failure that is sent to the parent. */
const MESSAGE_LENGTH_MAX = 500;

interface Loaded {
  readonly wasm: Uint8Array;
  readonly zkey: Uint8Array;
}

const loaded = new Map<string, Promise<Loaded>>();
let curve: Promise<Curve> | undefined;

process.on("message", (request) => {
  // The parent is our own program: its messages are trusted to have the agreed shape.
  void answer(request as ProverRequest).then((reply) => process.send?.(reply));
});
// The channel closes when the parent ends, however it ends.
process.on("disconnect", () => exit(0));

async function answer(request: ProverRequest): Promise<ProverReply> {
  try {
    return request.kind === "prove" ? await prove(request) : await verify(request);
  } catch (error) {
    const code = error instanceof KeyMismatch ? "CIRCUIT_KEY_MISMATCH" : "PROOF_FAILED";
    return {
      id: request.id,
      kind: "failed",
      code,
      message: String((error as Error).message).slice(0, MESSAGE_LENGTH_MAX),
    };
  }
}

class KeyMismatch extends Error {}

async function prove(request: ProveRequest): Promise<ProverReply> {
  const { wasm, zkey } = await load(request);
  await useOneThread();
  const cpu = cpuUsage();
  const start = performance.now();
  const witness: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  try {
    await wtns.calculate(request.input, wasm, witness);
  } catch (cause) {
    const message = `the inputs do not satisfy the circuit: ${String((cause as Error).message)}`;
    return {
      id: request.id,
      kind: "failed",
      code: "PROOF_WITNESS_REJECTED",
      message: message.slice(0, MESSAGE_LENGTH_MAX),
    };
  }
  const witnessMs = performance.now() - start;
  const { proof, publicSignals } = await groth16.prove(zkey, witness);
  const { user, system } = cpuUsage(cpu);
  return {
    id: request.id,
    kind: "proved",
    proof: { pi_a: proof.pi_a, pi_b: proof.pi_b, pi_c: proof.pi_c },
    publicSignals,
    cost: {
      witnessMs,
      proveMs: performance.now() - start - witnessMs,
      cpuMs: (user + system) / 1000,
      rssBytes: resourceUsage().maxRSS * 1024,
    },
  };
}

async function verify(request: VerifyRequest): Promise<ProverReply> {
  await useOneThread();
  const vkey: unknown = JSON.parse(await readFile(request.vkeyPath, "utf8"));
  const proof = { ...request.proof, protocol: "groth16", curve: "bn128" };
  return { id: request.id, kind: "verified", ok: await groth16.verify(vkey, request.publicSignals, proof) };
}

/**
 * One thread a process: snarkjs's own threads outlive the proof, and the parent decides how many processes there are. With
 * its option `singleThread` it would build the curve anew for every proof (0.3 s), so the curve is built once and left
 * where snarkjs 0.7 looks for the one it shares.
 */
async function useOneThread(): Promise<void> {
  curve ??= curves.getCurveFromName("bn128", { singleThread: true });
  (globalThis as { curve_bn128?: Curve }).curve_bn128 = await curve;
}

function load(request: ProveRequest): Promise<Loaded> {
  const known = loaded.get(request.zkeySha256);
  if (known !== undefined) return known;
  const circuit = read(request);
  loaded.set(request.zkeySha256, circuit);
  circuit.catch(() => loaded.delete(request.zkeySha256));
  const oldest = loaded.keys().next();
  if (loaded.size > CIRCUITS_KEPT_MAX && oldest.done !== true) loaded.delete(oldest.value);
  return circuit;
}

async function read({ wasmPath, zkeyPath, zkeySha256 }: ProveRequest): Promise<Loaded> {
  const [wasm, zkey] = await Promise.all([readFile(wasmPath), readFile(zkeyPath)]);
  const found = hash("sha256", zkey, "hex");
  if (found !== zkeySha256) throw new KeyMismatch(`${zkeyPath} has SHA-256 ${found}, not the recorded ${zkeySha256}`);
  return { wasm: new Uint8Array(wasm), zkey: new Uint8Array(zkey) };
}
