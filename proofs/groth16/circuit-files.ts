import { hash } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CircuitEntry, KeyProvenance } from "../../circuits/manifest.ts";
import { IpdmError } from "../../src/core/errors.ts";
import { parseVerifyingKey, type VerifyingKey } from "./verifying-key.ts";

/** Where a circuit's files lie in the package. */
export interface CircuitFiles {
  readonly wasmPath: string;
  readonly zkeyPath: string;
  readonly vkeyPath: string;
  readonly provenancePath: string;
  /** Entry of the prover process. */
  readonly proverPath: string;
}

/** A circuit's verifying key and where it comes from. */
export interface CircuitKey {
  readonly key: VerifyingKey;
  readonly provenance: KeyProvenance;
}

const FROM_SOURCE = import.meta.url.endsWith(".ts");
/** This file is `<root>/proofs/groth16/…` as source, `<root>/dist/proofs/groth16/…` as build. */
const ROOT = fileURLToPath(new URL(FROM_SOURCE ? "../../" : "../../../", import.meta.url));

/** The files of a circuit; it does not look whether they are there. */
export function circuitFiles({ name }: CircuitEntry): CircuitFiles {
  const keys = join(ROOT, "circuits", "keys");
  return {
    wasmPath: join(ROOT, "dist", "circuits", `${name}.wasm`),
    zkeyPath: join(keys, `${name}.zkey`),
    vkeyPath: join(keys, `${name}.vkey.json`),
    provenancePath: join(keys, `${name}.json`),
    proverPath: FROM_SOURCE ? join(ROOT, "circuits", "prover.ts") : join(ROOT, "dist", "circuits", "prover.js"),
  };
}

/**
 * Reads a circuit's verifying key and provenance. With `production: true` it refuses keys of a single-party set-up
 * (`CIRCUIT_KEY_NOT_FOR_PRODUCTION`); a key that is not the recorded one is `CIRCUIT_KEY_MISMATCH`.
 */
export async function loadCircuitKey(
  circuit: CircuitEntry,
  options: { readonly production?: boolean } = {},
): Promise<CircuitKey> {
  const files = circuitFiles(circuit);
  const [vkey, record] = await Promise.all([readFile(files.vkeyPath), readFile(files.provenancePath, "utf8")]);
  // Our own package's file, written by make-development-keys.
  const provenance = JSON.parse(record) as KeyProvenance;
  const found = hash("sha256", vkey, "hex");
  if (found !== provenance.vkey) {
    throw new IpdmError(
      "CIRCUIT_KEY_MISMATCH",
      `the verifying key of ${circuit.name} is not the one its provenance records`,
      {
        kind: "verification",
        where: files.vkeyPath,
        hint: "install the package again, or make new keys with `node circuits/make-development-keys.ts`",
        facts: { expected: provenance.vkey, found },
      },
    );
  }
  if (options.production === true && !provenance.production) {
    throw new IpdmError(
      "CIRCUIT_KEY_NOT_FOR_PRODUCTION",
      `the keys of ${circuit.name} come from a single-party set-up`,
      {
        kind: "config",
        where: files.provenancePath,
        hint: "use keys of a ceremony, or leave `production` out",
      },
    );
  }
  return { key: parseVerifyingKey(JSON.parse(vkey.toString("utf8"))), provenance };
}

/** Files and recorded key hash, for proving. Throws `CIRCUIT_NOT_BUILT` when the witness program is missing. */
export async function provingFiles(circuit: CircuitEntry): Promise<CircuitFiles & { readonly zkeySha256: string }> {
  const files = circuitFiles(circuit);
  try {
    await access(files.wasmPath);
  } catch (cause) {
    throw new IpdmError("CIRCUIT_NOT_BUILT", `the witness program of ${circuit.name} is missing`, {
      where: files.wasmPath,
      hint: "run `npm run build`",
      cause,
    });
  }
  const provenance = JSON.parse(await readFile(files.provenancePath, "utf8")) as KeyProvenance;
  return { ...files, zkeySha256: provenance.zkey };
}
