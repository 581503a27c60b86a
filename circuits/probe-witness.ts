// SPDX-License-Identifier: GPL-3.0-or-later
// Tries to cheat a circuit, for its tests: `node circuits/probe-witness.ts <circuit> <folder of the build> < probes.json`.
// The input is `[{input, change?: {signal, by}}, …]`; the output is a verdict for each, in order:
//   "no-witness"  the witness program finds nothing that fits these inputs
//   "rejected"    a constraint does not hold once the named signal of an honest witness is changed
//   "accepted"    all constraints hold
//   "eliminated"  the compiler replaced that signal by others, so there is nothing to change
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { argv, exit, stdin, stdout } from "node:process";
import { text } from "node:stream/consumers";
import { curves, wtns } from "snarkjs";

interface Probe {
  readonly input: Readonly<Record<string, string | readonly string[]>>;
  readonly change?: { readonly signal: string; readonly by: string };
}

const [circuit, dir] = argv.slice(2) as [string, string];
const wasm = new Uint8Array(await readFile(join(dir, `${circuit}.wasm`)));
const r1cs = new Uint8Array(await readFile(join(dir, `${circuit}.r1cs`)));
const positions = await readSymbols(join(dir, `${circuit}.sym`));
// Without threads of the library; see prover.ts.
const curve = await curves.getCurveFromName("bn128", { singleThread: true });
(globalThis as { curve_bn128?: unknown }).curve_bn128 = curve;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const verdicts: string[] = [];
// Our own tests write the probes.
for (const probe of JSON.parse(await text(stdin)) as readonly Probe[]) verdicts.push(await verdictOf(probe));
stdout.write(JSON.stringify(verdicts), () => exit(0));

async function verdictOf({ input, change }: Probe): Promise<string> {
  const witness: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  try {
    await wtns.calculate(input, wasm, witness);
  } catch {
    return "no-witness";
  }
  if (change !== undefined) {
    const at = positions.get(change.signal);
    if (at === undefined) throw new Error(`no signal ${change.signal}`);
    if (at < 0) return "eliminated";
    changeElement(witness.data ?? new Uint8Array(), at, BigInt(change.by));
  }
  return (await wtns.check(r1cs, witness, quiet)) ? "accepted" : "rejected";
}

/** Position of each named signal in the witness, -1 when it was eliminated. */
async function readSymbols(path: string): Promise<ReadonlyMap<string, number>> {
  const map = new Map<string, number>();
  for (const line of (await readFile(path, "utf8")).trimEnd().split("\n")) {
    const [, at, , name] = line.split(",") as [string, string, string, string];
    map.set(name.replace(/^main\./, ""), Number(at));
  }
  return map;
}

/** Adds to one element of a witness file: elements of 32 bytes, little-endian, at the file's end. */
function changeElement(data: Uint8Array, at: number, by: bigint): void {
  const wires = Math.max(...positions.values()) + 1;
  const element = data.subarray(data.length - 32 * (wires - at), data.length - 32 * (wires - at - 1));
  let value = 0n;
  for (const byte of element.toReversed()) value = (value << 8n) | BigInt(byte);
  value = (((value + by) % curve.r) + curve.r) % curve.r;
  for (let i = 0; i < 32; i++) element[i] = Number((value >> BigInt(8 * i)) & 0xffn);
}
