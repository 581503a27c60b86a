import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { poseidon5 } from "poseidon-lite/poseidon5";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CIRCUITS_DIR } from "../../../circuits/compile.ts";
import { type CircuitInput, type Probe, probe } from "../../integration/circuits/probe.ts";

const require = createRequire(import.meta.url);
const run = promisify(execFile);
const ROOT = dirname(CIRCUITS_DIR);
const OFFSET = 2n ** 31n;
/** A small instance: 8 rows in 2 limbs, hashed at once. */
const ROWS = 8;
const NAME = "small";

let dir: string;
let source: string;

beforeAll(async () => {
  source = await readFile(join(CIRCUITS_DIR, "src", "window.circom"), "utf8");
  await mkdir(join(ROOT, "dist"), { recursive: true });
  dir = await mkdtemp(join(ROOT, "dist", ".constraints-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

interface Mutant {
  readonly name: string;
  /** The constraint, and what stands in its place. */
  readonly from: string;
  readonly to: string;
  /** Breaks that constraint and no other. */
  readonly cheat: CircuitInput;
}

const base = { rows: [5n, -3n, 12n], min: -3n, max: 12n };

// (3) `active[0] === 1` is missing here: (8) implies it, since without a row no row is lowest. (10) has no cheat that a
// witness could show: it makes the context part of the key.
const MUTANTS: readonly Mutant[] = [
  {
    name: "(1) flags are 0 or 1",
    from: "active[i] * (active[i] - 1) === 0;",
    to: "",
    cheat: window({ rows: [5n - OFFSET], min: 5n - OFFSET, max: 5n - OFFSET, active: [1n, -3n], count: -2n }),
  },
  {
    name: "(2) rows before padding",
    from: "active[i] * (1 - active[i - 1]) === 0;",
    to: "",
    cheat: window({ ...base, active: [1n, 0n, 1n], encoded: [OFFSET + 5n, 0n, OFFSET + 12n], min: 5n }),
  },
  {
    name: "(4) padding is 0",
    from: "values[i] * (1 - active[i]) === 0;",
    to: "",
    cheat: window({ ...base, encoded: [5n, -3n, 12n].map((v) => v + OFFSET).concat(1n) }),
  },
  { name: "(5) the count", from: "count === rows;", to: "", cheat: window({ ...base, count: 4n }) },
  { name: "(5) the sum", from: "sum + OFFSET * count === total;", to: "", cheat: { ...window(base), sum: 15n } },
  {
    name: "(6) the minimum is in range",
    from: "lowestBits.in <== lowest;",
    to: "lowestBits.in <== 0;",
    cheat: window({ rows: [-OFFSET - 1n, -OFFSET + 9n], min: -OFFSET - 1n, max: -OFFSET + 9n }),
  },
  {
    name: "(6) the maximum is in range",
    from: "highestBits.in <== highest;",
    to: "highestBits.in <== 0;", // Padding would notice: the difference of the maximum to its 0 is in range too.
    cheat: window({ rows: [OFFSET + 5n, 0n, 0n, 0n, 0n, 0n, 0n, 0n], min: 0n, max: OFFSET + 5n }),
  },
  {
    name: "(7) no row is below the minimum",
    from: "below[i].in <== values[i] - floor[i];",
    to: "below[i].in <== 0;",
    cheat: window({ ...base, min: 5n }),
  },
  {
    name: "(7) no row is above the maximum",
    from: "above[i].in <== highest - values[i];",
    to: "above[i].in <== 0;",
    cheat: window({ ...base, max: 5n }),
  },
  { name: "(8) a row is the minimum", from: "lowestProduct[N] === 0;", to: "", cheat: window({ ...base, min: -4n }) },
  { name: "(9) a row is the maximum", from: "highestProduct[N] === 0;", to: "", cheat: window({ ...base, max: 13n }) },
  { name: "(11) the commitment", from: "commitment === root.out;", to: "", cheat: { ...window(base), commitment: 1n } },
];

describe("each constraint of the window circuit", () => {
  it("stands in the way of its cheat", async () => {
    await compile(source);
    const probes: readonly Probe[] = [{ input: window(base) }, ...MUTANTS.map(({ cheat }) => ({ input: cheat }))];
    expect(await probe(probes, { name: NAME, dir })).toEqual(["accepted", ...MUTANTS.map(() => "no-witness")]);
  });

  for (const { name, from, to, cheat } of MUTANTS) {
    it(`is needed: ${name}`, async () => {
      expect(source.split(from)).toHaveLength(2);
      await compile(source.replace(from, to));
      expect(await probe([{ input: cheat }], { name: NAME, dir })).toEqual(["accepted"]);
    });
  }
});

interface Window {
  readonly rows: readonly bigint[];
  readonly min: bigint;
  readonly max: bigint;
  readonly active?: readonly bigint[];
  readonly encoded?: readonly bigint[];
  readonly count?: bigint;
}

/** Inputs that agree with each other where `window` does not say otherwise. */
function window({ rows, min, max, active, encoded, count }: Window): CircuitInput {
  const flags = padded(active ?? rows.map(() => 1n));
  const values = padded(encoded ?? rows.map((value) => value + OFFSET));
  const total = count ?? flags.reduce((sum, flag) => sum + flag, 0n);
  const limb = (from: number): bigint =>
    values.slice(from, from + 7).reduce((sum, value, j) => sum + (value << BigInt(32 * j)), 0n);
  const order = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
  const element = (value: bigint): bigint => ((value % order) + order) % order;
  return {
    context: 7n,
    commitment: poseidon5([BigInt(ROWS * 65536 + 32), total, 9n, limb(0), limb(7)].map(element)),
    count: total,
    sum: values.reduce((sum, value) => sum + value, 0n) - OFFSET * total,
    min,
    max,
    values,
    active: flags,
    salt: 9n,
  };
}

function padded(list: readonly bigint[]): readonly bigint[] {
  return [...list, ...new Array<bigint>(ROWS - list.length).fill(0n)];
}

async function compile(template: string): Promise<void> {
  await writeFile(join(dir, "window.circom"), template);
  const instance = `pragma circom 2.1.6;\ninclude "./window.circom";\ncomponent main {public [context, commitment, count, sum, min, max]} = WindowAggregate(${ROWS}, 32);\n`;
  await writeFile(join(dir, `${NAME}.circom`), instance);
  const here = relative(ROOT, dir);
  const modules = relative(ROOT, join(dirname(require.resolve("circomlib/package.json")), ".."));
  const args = [
    require.resolve("circom2/cli.js"),
    join(here, `${NAME}.circom`),
    "--O2",
    "--r1cs",
    "--wasm",
    "--sym",
    "-l",
    modules,
    "-o",
    here,
  ];
  await run(process.execPath, args, { cwd: ROOT });
  await copyFile(join(dir, `${NAME}_js`, `${NAME}.wasm`), join(dir, `${NAME}.wasm`));
}
