import { fork } from "node:child_process";
import { hash } from "node:crypto";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildCircuits } from "../../../circuits/compile.ts";
import { CIRCUITS, type KeyProvenance, WINDOW_128X32 } from "../../../circuits/manifest.ts";
import type { ProveRequest, ProverReply } from "../../../circuits/messages.ts";
import { circuitFiles, provingFiles } from "../../../proofs/groth16/circuit-files.ts";

const files = circuitFiles(WINDOW_128X32);
const { name } = WINDOW_128X32;
let dir: string;

beforeAll(async () => {
  const built = dirname(files.wasmPath);
  await buildCircuits(built);
  dir = await mkdtemp(join(tmpdir(), "circuits-"));
  for (const circuit of CIRCUITS)
    for (const ending of ["wasm", "r1cs", "sym", "build.json"])
      await cp(join(built, `${circuit.name}.${ending}`), join(dir, `${circuit.name}.${ending}`));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe("buildCircuits", () => {
  it("keeps what is built from the same sources, for the constraints that the keys were made for", async () => {
    const provenance = JSON.parse(await readFile(files.provenancePath, "utf8")) as KeyProvenance;
    const [build] = await buildCircuits(dir);
    expect(build).toMatchObject({ name, compiled: false, r1cs: provenance.r1cs });
  });

  it("throws CIRCUIT_KEY_MISMATCH when the keys were made for other constraints", async () => {
    const other = join(dir, `${name}.r1cs`);
    const [bytes, stamp] = await Promise.all([readFile(other), readFile(join(dir, `${name}.build.json`), "utf8")]);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    await writeFile(other, bytes);
    const { sources, outputs } = JSON.parse(stamp) as { sources: string; outputs: string[] };
    await writeFile(
      join(dir, `${name}.build.json`),
      JSON.stringify({ sources, outputs: outputs.with(1, hash("sha256", bytes, "hex")) }),
    );
    await expect(buildCircuits(dir)).rejects.toMatchObject({ code: "CIRCUIT_KEY_MISMATCH" });
  });

  it("throws CIRCUIT_COMPILE_FAILED with the compiler's words, and leaves nothing behind", async () => {
    const empty = await mkdtemp(join(dir, "empty-"));
    const circuits = [{ ...WINDOW_128X32, name: "absent" }];
    await expect(buildCircuits(empty, { circuits })).rejects.toMatchObject({
      code: "CIRCUIT_COMPILE_FAILED",
      where: "circuits/src/absent.circom",
      message: expect.stringMatching(/absent\.circom/),
    });
    expect(await readdir(empty)).toEqual([]);
  });

  it("stops when it is aborted", async () => {
    const empty = await mkdtemp(join(dir, "empty-"));
    await expect(buildCircuits(empty, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  });
});

describe("the files of a circuit", () => {
  it("are those that the provenance records", async () => {
    const provenance = JSON.parse(await readFile(files.provenancePath, "utf8")) as KeyProvenance;
    expect(hash("sha256", await readFile(files.zkeyPath), "hex")).toBe(provenance.zkey);
    expect(hash("sha256", await readFile(files.vkeyPath), "hex")).toBe(provenance.vkey);
  });

  it("are missed with CIRCUIT_NOT_BUILT", async () => {
    await expect(provingFiles({ ...WINDOW_128X32, name: "absent" })).rejects.toMatchObject({
      code: "CIRCUIT_NOT_BUILT",
    });
  });

  it("are refused by the prover process: CIRCUIT_KEY_MISMATCH for another proving key than the recorded one, PROOF_FAILED where they are gone", async () => {
    const { wasmPath, zkeyPath, proverPath } = files;
    const request: ProveRequest = {
      id: 1,
      kind: "prove",
      wasmPath,
      zkeyPath,
      zkeySha256: "00".repeat(32),
      input: {},
    };
    const child = fork(proverPath, [], { execArgv: [] });
    const answered = async (asked: ProveRequest): Promise<ProverReply> => {
      child.send(asked);
      const [reply] = (await once(child, "message")) as [ProverReply];
      return reply;
    };
    expect(await answered(request)).toMatchObject({ id: 1, kind: "failed", code: "CIRCUIT_KEY_MISMATCH" });
    const gone = { ...request, id: 2, wasmPath: join(dir, "absent.wasm") };
    const failed = { id: 2, kind: "failed", code: "PROOF_FAILED", message: expect.stringContaining("absent.wasm") };
    expect(await answered(gone)).toMatchObject(failed);
    child.disconnect();
    await once(child, "exit");
  });
});
