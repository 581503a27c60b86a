import { readFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { MetricsServer } from "../../../../src/cli/metrics/server.ts";
import { exposition, METRICS } from "../../../../src/cli/metrics/table.ts";
import { PACKAGE_FOLDER } from "../../../../src/cli/package-folder.ts";
import { stageLines } from "../../../../src/cli/stage-lines.ts";
import type { RunProgress } from "../../../../src/run/options.ts";
import type { StageStatus } from "../../../../src/run/stages.ts";

const STAGE: StageStatus = {
  stage: 'da"ily',
  input: "late",
  headRows: 1200,
  certifiedRows: 1000,
  outRows: 7,
  lagRows: 34,
  rowsPerSecond: 56.5,
  idleSeconds: 12,
  waits: "votes",
};
const PROGRESS: RunProgress = {
  ...{ rowsIn: 5, rowsRecovered: 0, rowsTotal: undefined, isEstimate: false },
  ...{ statements: 3, certificates: 2, proofs: 1, phase: "running" },
};

/** The answer to a request, by its own name of the host. */
async function ask(url: string, path: string, host = "localhost", method = "GET"): Promise<[number, string]> {
  const { port } = new URL(url);
  const sent = request({ agent: false, host: "127.0.0.1", port, path, method, headers: { host: `${host}:${port}` } });
  sent.end();
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    sent.on("response", resolve).on("error", reject),
  );
  return [response.statusCode ?? 0, await text(response)];
}

describe("metrics", () => {
  it("are in the text form that Prometheus reads", () => {
    const told = exposition({ progress: PROGRESS, stages: [STAGE, { ...STAGE, stage: "b", lagRows: undefined }] });
    expect(told).toContain('# TYPE ipdm_stage_head_rows gauge\nipdm_stage_head_rows{stage="da\\"ily"} 1200\n');
    expect(told).toContain('ipdm_stage_waiting_info{stage="b",for="votes"} 1\n');
    expect(told).toContain("ipdm_run_certificates_total 2\n");
    expect(told.match(/^ipdm_stage_lag_rows\{/gm)).toHaveLength(1);
    expect(told).not.toMatch(/^ipdm_run_source_rows_expected /m);
    for (const line of told.trimEnd().split("\n"))
      expect(line).toMatch(/^(# (HELP|TYPE) ipdm_\w+ .+|ipdm_\w+(\{(\w+="([^"\\\n]|\\.)*",?)+\})? [\d.e+-]+)$/);
    expect(exposition({ progress: undefined, stages: [] })).toContain('ipdm_run_phase_info{phase="opening"} 1');
  });

  it("have a page that names them all", async () => {
    const page = await readFile(join(PACKAGE_FOLDER, "docs/reference/metrics.md"), "utf8");
    const rows = [...page.matchAll(/^\| `(\w+)` \| (\w+) \| (.+) \|$/gm)].map(([, ...cells]) => cells);
    expect(rows).toEqual(METRICS.map(({ name, type, help }) => [name, type, help]));
  });

  it("are served on the loopback interface, to whoever asks for it by its own name", async () => {
    let asked = 0;
    const server = await MetricsServer.open(0, () => `asked ${++asked}\n`);
    try {
      expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
      expect(await ask(server.url, "/metrics")).toEqual([200, "asked 1\n"]);
      expect(await ask(server.url, "/")).toEqual([404, ""]);
      expect(await ask(server.url, "/metrics", "example.com")).toEqual([403, ""]);
      expect(await ask(server.url, "/metrics", "127.0.0.1", "POST")).toEqual([405, ""]);
      const taken = MetricsServer.open(Number(new URL(server.url).port), () => "");
      await expect(taken).rejects.toMatchObject({ code: "METRICS_UNAVAILABLE", kind: "usage" });
    } finally {
      await server.close();
    }
    await expect(ask(server.url, "/metrics")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("lines of stages", () => {
  it("say what each does, or waits for, and for how long it has stood still", () => {
    const lines = stageLines([
      { ...STAGE, stage: "late", waits: "execution", idleSeconds: 1, lagRows: undefined },
      { ...STAGE, stage: "daily" },
      { ...STAGE, stage: "sum", waits: "input" },
      { ...STAGE, stage: "end", waits: "done" },
    ]);
    expect(lines).toEqual([
      "  late   1,200 rows · 57 rows/s · executes",
      "  daily  1,200 rows · 34 behind · 57 rows/s · waits for votes · stands still for 12 s",
      "  sum    1,200 rows · 34 behind · 57 rows/s · waits for late · stands still for 12 s",
      "  end    1,200 rows · done",
    ]);
    expect(stageLines(Array.from({ length: 15 }, () => STAGE)).at(-1)).toBe("  and 3 more");
    expect(stageLines([])).toEqual([]);
  });
});
