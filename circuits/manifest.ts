// SPDX-License-Identifier: Apache-2.0
// Data only, importing nothing, so that the Apache-licensed side may read it without touching the GPL-licensed files here.

/** A circuit of this package: its source `src/<name>.circom`, its keys `keys/<name>.*`, its build `dist/circuits/<name>.*`. */
export interface CircuitEntry {
  readonly name: string;
  /** Most rows of a window that one proof covers. */
  readonly rowsMax: number;
  /** Width of a signed value, in bits: values lie in [-2^(bits-1), 2^(bits-1)). */
  readonly valueBits: number;
  /** Names of the public inputs, in the order in which a proof lists them. */
  readonly publicInputs: readonly string[];
}

/** Count, sum, minimum and maximum of up to 128 committed signed 32-bit values. */
export const WINDOW_128X32: CircuitEntry = {
  name: "window-128x32",
  rowsMax: 128,
  valueBits: 32,
  publicInputs: ["context", "commitment", "count", "sum", "min", "max"],
};

/** The same of up to 64 committed signed 64-bit values. */
export const WINDOW_64X64: CircuitEntry = { ...WINDOW_128X32, name: "window-64x64", rowsMax: 64, valueBits: 64 };

/** Every circuit of this package. */
export const CIRCUITS: readonly CircuitEntry[] = [WINDOW_128X32, WINDOW_64X64];

/** What `keys/<name>.json` records: where a circuit's keys come from. Hashes are SHA-256 in lower-case hexadecimal. */
export interface KeyProvenance {
  readonly v: 1;
  readonly circuit: string;
  readonly protocol: "groth16";
  readonly curve: "bn254";
  /** Says in words how far the keys may be trusted. */
  readonly label: string;
  /** False for keys of a single-party set-up: a node that is told `production: true` refuses them. */
  readonly production: boolean;
  /** Hash of the circuit's sources with the compiler's version and options. */
  readonly sources: string;
  readonly r1cs: string;
  readonly zkey: string;
  readonly vkey: string;
  readonly constraints: number;
  /** Size of the evaluation domain: 2^power. */
  readonly power: number;
  /** Day the keys were made, `YYYY-MM-DD`. */
  readonly made: string;
  /** Command that made them. It draws fresh secrets, so running it again makes other keys. */
  readonly command: string;
  readonly tools: Readonly<Record<string, string>>;
}
