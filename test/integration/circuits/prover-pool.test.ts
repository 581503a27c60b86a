import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildCircuits } from "../../../circuits/compile.ts";
import { WINDOW_64X64, WINDOW_128X32 } from "../../../circuits/manifest.ts";
import type { ProverReply, VerifyRequest } from "../../../circuits/messages.ts";
import { circuitFiles, loadCircuitKey } from "../../../proofs/groth16/circuit-files.ts";
import { SCALAR_ORDER } from "../../../proofs/groth16/field.ts";
import { type Groth16Proof, proofToBytes, publicInputsToBytes } from "../../../proofs/groth16/proof.ts";
import type { WindowProof } from "../../../proofs/groth16/prover.ts";
import { ProverPool } from "../../../proofs/groth16/prover-pool.ts";
import { proofToJson } from "../../../proofs/groth16/snarkjs-json.ts";
import { verifyGroth16 } from "../../../proofs/groth16/verifier.ts";
import type { VerifyingKey } from "../../../proofs/groth16/verifying-key.ts";
import { contextOf } from "../../../proofs/groth16/window-context.ts";
import { chunkWindow, claimOf, commitWindowChunk, windowChunk } from "../../../proofs/groth16/window-proof.ts";
import { verifyWindow } from "../../../proofs/groth16/window-verifier.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { malleated } from "../../unit/proofs/groth16/trapdoor-proof.ts";

const files = circuitFiles(WINDOW_128X32);
const ABOUT = {
  statement: Uint8Array.of(1),
  domain: "d",
  epoch: 1,
  task: "t",
  column: "c",
  key: Uint8Array.of(2),
  windowStart: 0,
  windowEnd: 60,
};
const pool = new ProverPool();
let key: VerifyingKey;
let folder: TestFolder;

beforeAll(async () => {
  folder = await makeTestFolder("prover-pool");
  await buildCircuits(dirname(files.wasmPath));
  ({ key } = await loadCircuitKey(WINDOW_128X32));
});
afterAll(() => Promise.all([pool.close(), folder.remove()]));

describe("ProverPool", () => {
  it("proves a window in chunks that together give its aggregate", async () => {
    const values = Array.from({ length: 129 }, (_, i) => ((i * 7919) % 2001) - 1000);
    const proofs = await proveAll(values);
    expect(proofs.map(({ publicInputs }) => claimOf(WINDOW_128X32, publicInputs)?.count)).toEqual([128, 1]);
    const stored = proofs.map(({ proof, publicInputs }) => ({
      proof: proofToBytes(proof),
      publicInputs: publicInputsToBytes(publicInputs),
    }));
    const verdict = verifyWindow({ circuit: WINDOW_128X32, key }, ABOUT, stored);
    expect(verdict).toMatchObject({
      ok: true,
      aggregate: {
        count: 129,
        sum: BigInt(values.reduce((a, b) => a + b)),
        min: BigInt(Math.min(...values)),
        max: BigInt(Math.max(...values)),
      },
    });
    if (verdict.ok) expect(verdict.claims[1]?.commitment).toBe(commitWindowChunk(WINDOW_128X32, values.slice(128), 2n));

    const [first, last] = stored as [(typeof stored)[0], (typeof stored)[0]];
    const flipped = { proof: last.proof.with(200, (last.proof[200] as number) ^ 1), publicInputs: last.publicInputs };
    const refused = (about: typeof ABOUT, chunks: typeof stored) => {
      const found = verifyWindow({ circuit: WINDOW_128X32, key }, about, chunks);
      return found.ok ? "ok" : `${found.code} ${found.chunk}`;
    };
    expect(refused({ ...ABOUT, task: "other" }, stored)).toBe("PROOF_CONTEXT_MISMATCH 0");
    expect(refused(ABOUT, [last, first])).toBe("PROOF_CONTEXT_MISMATCH 0");
    expect(refused(ABOUT, [first])).toBe("PROOF_CONTEXT_MISMATCH 0");
    expect(refused(ABOUT, [first, { ...last, proof: first.proof }])).toBe("PROOF_REJECTED 1");
    expect(refused(ABOUT, [first, flipped])).toMatch(/^PROOF_(POINT_INVALID|MALFORMED) 1$/);
    expect(refused(ABOUT, [first, { ...last, proof: last.proof.slice(1) }])).toBe("PROOF_MALFORMED 1");
    expect(refused(ABOUT, [])).toBe("PROOF_CHUNKS_INVALID 0");
  });

  it("proves a single negative value, and no verdict differs from that of snarkjs", async () => {
    const { proof, publicInputs, cost } = await pool.prove(windowChunk(WINDOW_128X32, [-7], 5n, 6n));
    expect(claimOf(WINDOW_128X32, publicInputs)).toMatchObject({ count: 1, sum: -7n, min: -7n, max: -7n });
    expect(cost.rssBytes).toBeGreaterThan(0);
    const other = malleated(proof, 3n);
    const cases: readonly (readonly [string, Groth16Proof, readonly bigint[], boolean])[] = [
      ["honest", proof, publicInputs, true],
      ["malleated", other, publicInputs, true],
      ["another context", proof, publicInputs.with(0, 7n), false],
      ["another sum", proof, publicInputs.with(3, SCALAR_ORDER - 8n), false],
      ["an input plus r", proof, publicInputs.with(0, 6n + SCALAR_ORDER), false],
      ["C instead of A", { ...proof, a: proof.c }, publicInputs, false],
      ["a point off the curve", { ...proof, c: { x: 1n, y: 1n } }, publicInputs, false],
    ];
    const mine = cases.map(([name, candidate, inputs]) => [name, verifyGroth16(key, inputs, candidate).ok]);
    expect(mine).toEqual(cases.map(([name, , , expected]) => [name, expected]));
    expect(await snarkjsVerdicts(cases.map(([, candidate, inputs]) => [candidate, inputs]))).toEqual(
      mine.map(([, ok]) => ok),
    );
    expect(proofToBytes(other)).not.toEqual(proofToBytes(proof));
  });

  it("proves values of 64 bits with the circuit for them", async () => {
    const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
    const { circuit, pieces } = chunkWindow([least, most, -1n]);
    const { proof, publicInputs } = await pool.prove(windowChunk(circuit, pieces[0] ?? [], 5n, 6n));
    expect(claimOf(WINDOW_64X64, publicInputs)).toMatchObject({ count: 3, sum: -2n, min: least, max: most });
    expect(claimOf(WINDOW_128X32, publicInputs)).toBeUndefined();
    const wide = await loadCircuitKey(WINDOW_64X64);
    expect(verifyGroth16(wide.key, publicInputs, proof)).toEqual({ ok: true });
    expect(verifyGroth16(key, publicInputs, proof).ok).toBe(false);
  });

  it("refuses a claim that is not true of the values with PROOF_WITNESS_REJECTED, and goes on", async () => {
    const chunk = windowChunk(WINDOW_128X32, [1, 2], 1n, 1n);
    await expect(pool.prove({ ...chunk, claim: { ...chunk.claim, sum: 4n } })).rejects.toMatchObject({
      code: "PROOF_WITNESS_REJECTED",
    });
    expect(pool.pids).toHaveLength(1);
  });

  it("refuses with PROOF_FAILED what is no proof, and a proof of other public inputs than it asked for", async () => {
    const chunk = windowChunk(WINDOW_128X32, [1], 1n, 1n);
    const point = ["1", "2", "1"];
    const proof = { pi_a: point, pi_b: [point.slice(1), point.slice(1), ["1", "0"]], pi_c: point };
    const replies = [
      [{ kind: "verified", ok: true }, /no proof/],
      [{ kind: "proved", proof: {}, publicSignals: [] }, /no proof/],
      [{ kind: "proved", proof, publicSignals: ["2"] }, /other public inputs/],
    ] as const;
    for (const [at, [reply, message]] of replies.entries()) {
      const proverPath = join(folder.path, `${at}.mjs`);
      const send = `process.send({ id, ...${JSON.stringify(reply)} })`;
      await writeFile(
        proverPath,
        `process.on("message", ({ id }) => ${send}); process.on("disconnect", () => process.exit(0));`,
      );
      await using odd = new ProverPool({ proverPath });
      const failed = { code: "PROOF_FAILED", message: expect.stringMatching(message) };
      await expect(odd.prove(chunk)).rejects.toMatchObject(failed);
    }
  });

  it("replaces a process that is killed in the middle of a proof, and tries the proof again", async () => {
    const [before] = pool.pids;
    const proving = pool.prove(windowChunk(WINDOW_128X32, [1, 2, 3], 1n, 1n));
    await untilBusy(pool);
    process.kill(before as number, "SIGKILL");
    expect(verifyGroth16(key, (await proving).publicInputs, (await proving).proof)).toEqual({ ok: true });
    expect(pool.pids).not.toContain(before);
    expect(pool.pids).toHaveLength(1);
  });

  it("gives up with PROVER_CRASHED when the second process dies too", async () => {
    await using doomed = new ProverPool();
    let code: unknown;
    const proving = doomed.prove(windowChunk(WINDOW_128X32, [1], 1n, 1n)).catch((error: unknown) => {
      code = (error as { code?: unknown }).code;
    });
    while (code === undefined) {
      for (const pid of doomed.pids) process.kill(pid, "SIGKILL");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await proving;
    expect(code).toBe("PROVER_CRASHED");
  });

  it("takes an aborted proof out of the queue or out of its process", async () => {
    const [running, waiting] = [new AbortController(), new AbortController()];
    const first = pool.prove(windowChunk(WINDOW_128X32, [1], 1n, 1n), { signal: running.signal });
    const second = pool.prove(windowChunk(WINDOW_128X32, [2], 1n, 1n), { signal: waiting.signal });
    waiting.abort(new Error("not needed"));
    await expect(second).rejects.toThrow("not needed");
    await untilBusy(pool);
    running.abort(new Error("stopped"));
    await expect(first).rejects.toThrow("stopped");
    await expect(
      pool.prove(windowChunk(WINDOW_128X32, [1], 1n, 1n), { signal: AbortSignal.abort(new Error("before")) }),
    ).rejects.toThrow("before");
  });

  it("bounds its queue and time, and ends its processes on close", async () => {
    await using small = new ProverPool({ queueMax: 1, timeoutMs: 1 });
    const first = small.prove(windowChunk(WINDOW_128X32, [1], 1n, 1n));
    const second = small.prove(windowChunk(WINDOW_128X32, [2], 1n, 1n));
    await expect(small.prove(windowChunk(WINDOW_128X32, [3], 1n, 1n))).rejects.toMatchObject({
      code: "PROVER_QUEUE_FULL",
    });
    await expect(first).rejects.toMatchObject({ code: "PROVER_TIMEOUT" });
    const closing = small.close();
    await expect(second).rejects.toMatchObject({ code: "PROVER_CLOSED" });
    await closing;
    await expect(small.prove(windowChunk(WINDOW_128X32, [1], 1n, 1n))).rejects.toMatchObject({ code: "PROVER_CLOSED" });
    expect(small.pids).toEqual([]);
  });

  it("lets its parent end while it is idle, and ends with a parent that is killed", async () => {
    const idle = startParent("");
    expect(await exitOf(idle)).toBe(0);
    const busy = startParent("setInterval(() => {}, 1000);");
    const pid = Number(await firstLine(busy));
    busy.kill("SIGKILL");
    await once(busy, "close");
    await gone(pid);
  });
});

async function proveAll(values: readonly number[]): Promise<readonly WindowProof[]> {
  const { pieces: chunks } = chunkWindow(values);
  const proofs = chunks.map((chunk, i) =>
    pool.prove(
      windowChunk(WINDOW_128X32, chunk, BigInt(i + 1), contextOf({ ...ABOUT, chunk: i, chunks: chunks.length })),
    ),
  );
  return await Promise.all(proofs);
}

/** One turn of the event loop at a time, until the pool has handed its proof to a process. */
async function untilBusy(prover: ProverPool): Promise<void> {
  while (prover.busy === 0) await new Promise((resolve) => setImmediate(resolve));
}

async function snarkjsVerdicts(
  cases: readonly (readonly [Groth16Proof, readonly bigint[]])[],
): Promise<readonly boolean[]> {
  const child = fork(files.proverPath, [], { execArgv: [] });
  const verdicts: boolean[] = [];
  for (const [id, [proof, inputs]] of cases.entries()) {
    const request: VerifyRequest = {
      id,
      kind: "verify",
      vkeyPath: files.vkeyPath,
      proof: proofToJson(proof),
      publicSignals: inputs.map(String),
    };
    const reply = once(child, "message");
    child.send(request);
    const [answer] = (await reply) as [ProverReply];
    // snarkjs may also throw on what is no proof at all.
    verdicts.push(answer.kind === "verified" && answer.ok);
  }
  child.disconnect();
  await once(child, "exit");
  return verdicts;
}

/** A process of its own that makes one proof, prints the prover's id, and then does `more`. */
function startParent(more: string): ReturnType<typeof spawn> {
  const folder = new URL("../../../proofs/groth16/", import.meta.url).href;
  const program = `
    const { ProverPool } = await import("${folder}prover-pool.ts");
    const pool = new ProverPool();
    const { WINDOW_CIRCUITS, windowChunk } = await import("${folder}window-proof.ts");
    await pool.prove(windowChunk(WINDOW_CIRCUITS[0], [1], 1n, 1n));
    console.log(pool.pids[0]);
    ${more}`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
}

async function exitOf(child: ReturnType<typeof spawn>): Promise<number | null> {
  const [, [code]] = await Promise.all([child.stdout === null ? "" : text(child.stdout), once(child, "exit")]);
  return code as number | null;
}

async function firstLine(child: ReturnType<typeof spawn>): Promise<string> {
  const [data] = (await once(child.stdout as NonNullable<typeof child.stdout>, "data")) as [Buffer];
  return data.toString();
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
