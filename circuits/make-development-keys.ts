// SPDX-License-Identifier: GPL-3.0-or-later
// Makes development keys for the circuits that it is told, or for every one: `node circuits/make-development-keys.ts [<circuit>…]`.
// Secrets are drawn anew each time, so the keys differ from run to run; proofs made with the old ones no longer verify.
import { hash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { argv, exit, stderr, version } from "node:process";
import { zKey } from "snarkjs";
import { buildCircuits, CIRCUITS_DIR, type CircuitBuild, packageVersion } from "./compile.ts";
import { developmentTau } from "./development-tau.ts";
import type { KeyProvenance } from "./manifest.ts";

const LABEL =
  "DEVELOPMENT KEY: single-party set-up; whoever made it could have kept the secrets and forge proofs; do not use in production";

const wanted = argv.slice(2);
for (const build of await buildCircuits(join(dirname(CIRCUITS_DIR), "dist", "circuits"), { checkKeys: false })) {
  if (wanted.length === 0 || wanted.includes(build.name)) await makeKeys(build);
}
// snarkjs keeps the threads of its curve alive.
exit(0);

async function makeKeys(build: CircuitBuild): Promise<void> {
  const r1cs = new Uint8Array(await readFile(build.r1csPath));
  const { constraints, power } = sizeOf(r1cs);
  say(`${build.name}: ${constraints} constraints, domain 2^${power}; phase 1, one party`);
  const tau = await developmentTau(power);

  say("phase 2: initial key");
  const initial = { type: "mem" as const };
  await zKey.newZKey(r1cs, tau, initial);
  say("phase 2: one contribution");
  const final: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await zKey.contribute(initial, final, "development", randomBytes(64).toString("hex"));

  say("checking the key against the constraints");
  if (!(await zKey.verifyFromR1cs(r1cs, tau, final)) || final.data === undefined) {
    throw new Error(`the new key of ${build.name} does not fit its constraints; nothing was written`);
  }
  const zkey = final.data;
  const vkey = `${JSON.stringify(await zKey.exportVerificationKey(final), undefined, 1)}\n`;
  await write(build, { constraints, power, zkey, vkey });
}

interface Keys {
  readonly constraints: number;
  readonly power: number;
  readonly zkey: Uint8Array;
  readonly vkey: string;
}

async function write(build: CircuitBuild, keys: Keys): Promise<void> {
  const provenance: KeyProvenance = {
    v: 1,
    circuit: build.name,
    protocol: "groth16",
    curve: "bn254",
    label: LABEL,
    production: false,
    sources: build.sources,
    r1cs: build.r1cs,
    zkey: hash("sha256", keys.zkey, "hex"),
    vkey: hash("sha256", keys.vkey, "hex"),
    constraints: keys.constraints,
    power: keys.power,
    made: new Date().toISOString().slice(0, 10),
    command: `node circuits/make-development-keys.ts ${build.name}`,
    tools: {
      node: version,
      circom2: packageVersion("circom2"),
      circomlib: packageVersion("circomlib"),
      snarkjs: packageVersion("snarkjs"),
    },
  };
  const path = (ending: string): string => join(CIRCUITS_DIR, "keys", `${build.name}.${ending}`);
  await mkdir(join(CIRCUITS_DIR, "keys"), { recursive: true });
  await writeFile(path("zkey"), keys.zkey);
  await writeFile(path("vkey.json"), keys.vkey);
  await writeFile(path("json"), `${JSON.stringify(provenance, undefined, 2)}\n`);
  say(`${build.name}: wrote zkey (${keys.zkey.length} bytes), vkey and provenance to circuits/keys`);
}

/** Constraints of an r1cs file, and the power of two that snarkjs needs for them: one more row for each public input. */
function sizeOf(r1cs: Uint8Array): { readonly constraints: number; readonly power: number } {
  const view = new DataView(r1cs.buffer, r1cs.byteOffset, r1cs.byteLength);
  // Sections: id (u32), size (u64), bytes. The header is section 1: field size, prime, then 32-bit counts.
  let at = 12;
  while (view.getUint32(at, true) !== 1) at += 12 + Number(view.getBigUint64(at + 4, true));
  const counts = at + 12 + 4 + view.getUint32(at + 12, true);
  const outputs = view.getUint32(counts + 4, true);
  const publicInputs = view.getUint32(counts + 8, true);
  // nWires, nOutputs, nPublicInputs, nPrivateInputs, nLabels (u64), nConstraints.
  const constraints = view.getUint32(counts + 24, true);
  return { constraints, power: Math.floor(Math.log2(constraints + outputs + publicInputs)) + 1 };
}

function say(text: string): void {
  stderr.write(`${text}\n`);
}
