import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyReceiptFile } from "../../../src/audit/verify-file.ts";
import { readGivenModule } from "../../../src/registry/given-module.ts";
import { ndjsonOf, runModule } from "../../../src/registry/rows.ts";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { audit } from "../../support/audit.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { LivePlace } from "../../support/live-place.ts";
import { timedModule } from "../../support/timed-module.ts";

let folder: TestFolder;

/** Times in seconds: out of order, one missing, and a unit of four without any. */
const TIMES = [10, 40, 30, null, null, null, null, null, 60, 50];

beforeAll(async () => {
  folder = await makeTestFolder("event-time");
  await writeFile(join(folder.path, "timed.wasm"), await timedModule());
});
afterAll(() => folder.remove());

interface Parts {
  readonly module?: string;
  readonly source?: string;
  readonly times?: readonly (number | null)[];
  readonly batchRows?: number;
}

async function run(parts: Parts): Promise<RunSummary & { readonly outDir: string }> {
  const { module = "kind: batch, unit: 4, capabilities: [time]", source = ", time: { column: at }" } = parts;
  const rows = (parts.times ?? TIMES).map((at) => `0,${at === null ? "" : new Date(at * 1000).toISOString()}`);
  await writeFile(join(folder.path, "rows.csv"), `n,at\n${rows.join("\n")}\n`);
  const configPath = join(folder.path, "ipdm.yaml");
  await writeFile(
    configPath,
    `name: timed
sources: { rows: { file: ./rows.csv, columns: { n: i64, at: timestamp }${source} } }
modules: { timed: { file: ./timed.wasm, ${module} } }
tasks: { seen: { module: timed, input: rows } }
outputs: { table: { input: seen, file: seen.csv } }
`,
  );
  const outDir = folder.fresh("out");
  return { ...(await runConfig({ configPath, outDir, lanes: 1, batchRows: parts.batchRows })), outDir };
}

describe("the event time of a call", () => {
  it("is the latest of its unit's rows, whatever batches they come in, and part of what is computed", async () => {
    const times = TIMES.map((at, row) => (row >= 4 && row < 8 ? 5 + row : at));
    // Units lie across batches.
    const first = await run({ times, batchRows: 3 });
    const seen = (await readFile(join(first.outDir, "seen.csv"), "utf8")).trim().split("\n").slice(1);
    expect(seen.map((line) => Number(line.split(",")[0]) / 1e6)).toEqual([40, 40, 40, 40, 12, 12, 12, 12, 60, 60]);
    await audit(first.outDir);
    const { receipt } = await verifyReceiptFile(first.receipt);
    expect(receipt?.result.tasks["seen"]?.operator).toMatchObject({ kind: "module", time: "at" });
  });

  it("is never made up: a module that asks where there is none is refused or stopped by name", async () => {
    await expect(run({})).rejects.toMatchObject({
      code: "MODULE_CAPABILITY_DENIED",
      message: expect.stringMatching(/rows 4 to 7: it called ipdm.time, and this call has no event time/) as string,
    });
    await expect(run({ source: "" })).rejects.toMatchObject({ code: "TIME_MISSING", kind: "config" });
    await expect(run({ source: ", time: { column: n }" })).rejects.toMatchObject({ code: "TIME_COLUMN_TYPE" });
    // A level of trust gives no time to what cannot have one, and nobody else may either.
    await expect(run({ module: "trust: trusted" })).rejects.toMatchObject({ code: "MODULE_CAPABILITY_DENIED" });
    const catalogued = await new LivePlace(folder, 4, { capabilities: ["time"] }).prepare(await timedModule());
    await expect(catalogued.run()).rejects.toMatchObject({
      code: "MODULE_CAPABILITY_DENIED",
      message: expect.stringContaining("called on any rows, so they have none") as string,
    });
    await expect(run({ module: "capabilities: [time]" })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining("kind rows have no event time") as string,
    });
  });

  it("comes from a named column outside a pipeline", async () => {
    await writeFile(join(folder.path, "few.csv"), "n,at\n1,1970-01-01T00:00:01Z\n2,1970-01-01T00:00:03Z\n");
    const columns = { n: "i64", at: "timestamp" } as const;
    const given = await readGivenModule(join(folder.path, "timed.wasm"), { kind: "batch", trust: "trusted" });
    const seen = (time?: string) =>
      runModule(
        { ...given, time },
        { file: join(folder.path, "few.csv"), columns },
        AbortSignal.timeout(10_000),
        async (run) => {
          const parts: string[] = [];
          for await (const part of ndjsonOf(run)) parts.push(Buffer.from(part).toString());
          return parts.join("");
        },
      );
    expect(await seen("at")).toMatch(/"n":"?3000000.*\n.*"n":"?3000000/);
    await expect(seen()).rejects.toMatchObject({ code: "MODULE_CAPABILITY_DENIED" });
    await expect(seen("n")).rejects.toMatchObject({ code: "TIME_COLUMN_TYPE" });
  });
});
