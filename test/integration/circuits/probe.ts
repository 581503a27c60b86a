import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { WINDOW_128X32 } from "../../../circuits/manifest.ts";
import { circuitFiles } from "../../../proofs/groth16/circuit-files.ts";
import { SCALAR_ORDER } from "../../../proofs/groth16/field.ts";
import { commitWindowChunk, publicInputsOf, windowChunk } from "../../../proofs/groth16/window-proof.ts";

const OFFSET = 2n ** 31n;

/** Every input of the circuit, as the witness program takes it, before it becomes text. */
export interface CircuitInput {
  readonly context: bigint;
  readonly commitment: bigint;
  readonly count: bigint;
  readonly sum: bigint;
  readonly min: bigint;
  readonly max: bigint;
  readonly values: readonly bigint[];
  readonly active: readonly bigint[];
  readonly salt: bigint;
}

export interface Probe {
  readonly input: CircuitInput;
  readonly change?: { readonly signal: string; readonly by: bigint };
}

/** The input that an honest prover gives for these values. */
export function honest(values: readonly number[], salt = 99n): CircuitInput {
  const inputs = publicInputsOf(windowChunk(WINDOW_128X32, values, salt, 7n).claim);
  const [context, commitment, count, sum, min, max] = inputs as readonly [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  const row = (i: number, of: (value: bigint) => bigint): bigint =>
    i < values.length ? of(BigInt(values[i] as number)) : 0n;
  return {
    context,
    commitment,
    count,
    sum,
    min,
    max,
    values: Array.from({ length: 128 }, (_, i) => row(i, (value) => value + OFFSET)),
    active: Array.from({ length: 128 }, (_, i) => row(i, () => 1n)),
    salt,
  };
}

/** The commitment that an honest prover gives for these values. */
export function commitment(values: readonly number[], salt = 99n): bigint {
  return commitWindowChunk(WINDOW_128X32, values, salt);
}

/** Runs the probes in one process of the circuit's own side; see circuits/probe-witness.ts for the verdicts. */
export async function probe(
  probes: readonly Probe[],
  build = { name: WINDOW_128X32.name, dir: dirname(circuitFiles(WINDOW_128X32).wasmPath) },
): Promise<readonly string[]> {
  const script = join(dirname(circuitFiles(WINDOW_128X32).proverPath), "probe-witness.ts");
  const child = spawn(process.execPath, [script, build.name, build.dir], { stdio: ["pipe", "pipe", "pipe"] });
  child.stdin.end(
    JSON.stringify(probes, (_, value: unknown) => (typeof value === "bigint" ? String(mod(value)) : value)),
  );
  // On stderr the witness program complains of each refused input; it matters only when there is no answer.
  const [answer, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (answer === "") throw new Error(`the probe ended without an answer: ${complaints}`);
  return JSON.parse(answer) as readonly string[];
}

function mod(value: bigint): bigint {
  return ((value % SCALAR_ORDER) + SCALAR_ORDER) % SCALAR_ORDER;
}
