import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkChains } from "../../../proofs/receipt/chain-check.ts";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import { faultOf } from "../../../proofs/receipt/verdict.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { readAggregate } from "../../../src/config/aggregate.ts";
import type { Config, WindowTaskConfig } from "../../../src/config/config.ts";
import { readInstant } from "../../../src/config/instant.ts";
import { describeModule, MANIFEST_FILE } from "../../../src/config/module-manifest.ts";
import { readReference } from "../../../src/config/module-reference.ts";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { checkName } from "../../../src/network/exchange.ts";
import { loadSeed, quietLog, sha256 } from "../../../src/node.ts";
import { checkProvable } from "../../../src/plan/prove.ts";
import { RunReport } from "../../../src/run/run-report.ts";
import { Kernel } from "../../../src/runtime/kernel.ts";
import { toRecord } from "../../../src/sources/failure.ts";
import { documentedCodes } from "../../../tools/emit-errors.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { say } from "../../support/say.ts";
import { parcelMachine } from "../runtime/parcel-machine.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

/** Codes that no test causes: reasons of a signal at an orderly end, which nobody is told. The list should only become shorter. */
const NOT_CAUSED: ReadonlySet<string> = new Set(["RUN_ENDED", "NODE_CLOSED"]);

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("codes");
});
afterAll(() => folder.remove());

describe("docs/reference/errors.md", () => {
  it("has no code that no test causes, but for those that a test cannot", async () => {
    const tests = (await readdir(join(ROOT, "test"), { recursive: true })).filter((name) => name.endsWith(".ts"));
    const texts = await Promise.all(
      tests.map(async (name) => {
        const text = await readFile(join(ROOT, "test", name), "utf8");
        return name.endsWith("errors-caused.test.ts") ? text.replace(/NOT_CAUSED[\s\S]*?\]\);/, "") : text;
      }),
    );
    const spelled = new Set(texts.flatMap((text) => text.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b/g) ?? []));
    const codes = documentedCodes(await readFile(join(ROOT, "docs/reference/errors.md"), "utf8"));
    expect({ missing: codes.filter((code) => !spelled.has(code) && !NOT_CAUSED.has(code)) }).toEqual({ missing: [] });
    expect({ gone: [...NOT_CAUSED].filter((code) => !codes.includes(code)) }).toEqual({ gone: [] });
  });
});

describe("codes that no other test causes", () => {
  const code = (name: string): Error => expect.objectContaining({ code: name }) as Error;

  it("of a configuration's values", async () => {
    for (const text of ["sum", "sum()", "sum(a"]) expect(() => readAggregate(text)).toThrow(code("AGGREGATE_INVALID"));
    for (const text of ["soon", "2001-13-01"]) expect(() => readInstant(text)).toThrow(code("INSTANT_INVALID"));
    for (const text of ["late@", "late@about 1"]) expect(() => readReference(text)).toThrow(code("MODULE_REFERENCE"));
    await expect(describeModule(folder.path)).rejects.toThrow(code("MODULE_MANIFEST_MISSING"));
    await writeFile(join(folder.path, MANIFEST_FILE), "{ name: }");
    await expect(describeModule(folder.path)).rejects.toThrow(code("MODULE_MANIFEST_INVALID"));
    const schema = schemaOf(["a", "b", "c", "d", "e"].map((name) => ({ name, type: "i64", nullable: false })));
    const aggregates = schema.fields.map(({ name }) => ({ name, kind: "sum" as const, column: name }));
    const task = { name: "t", aggregates, prove: { kind: "drawn", windows: 256 } } as unknown as WindowTaskConfig;
    expect(() => checkProvable(task, schema)).toThrow(code("PROVE_LIMIT"));
  });

  it("of a node's files and journals", async () => {
    const key = join(folder.path, "key");
    await writeFile(key, "short");
    await expect(loadSeed(key)).rejects.toThrow(code("KEY_MALFORMED"));
    await using kernel = new Kernel(new MemoryStore({ hash: sha256 }), { hash: sha256, log: quietLog });
    const spec = {
      id: "",
      machine: parcelMachine(),
      input: { name: "box" },
      effects: { greet: async () => undefined, carry: async () => undefined },
    };
    await expect(kernel.spawn(spec)).rejects.toThrow(code("ACTOR_ID"));
    expect(() => checkName("topic", "")).toThrow(code("NAME_INVALID"));
    expect(toRecord(new TypeError("not ours"))).toMatchObject({ code: "SOURCE_FAILED" });
    const missing = await say(
      "module",
      "import",
      join(folder.path, "none.car"),
      "--catalogue",
      folder.fresh(),
      "--json",
    );
    expect(missing.last).toMatchObject({ code: "MODULE_CAR_UNREADABLE" });
  });

  it("of receipts", () => {
    expect(faultOf(new RangeError("too deep"))).toMatchObject({ code: "RECEIPT_MALFORMED", where: "receipt" });
    const config = { anchored: { flights: { block: 1, hash: new Uint8Array(32), by: "given", endpoints: 0 } } };
    const receipt = { config, anchors: new Map(), blocks: new Map() } as unknown as Receipt;
    expect(() => checkChains(receipt, sha256)).toThrow(code("CHAIN_MISMATCH"));
  });

  it("of notices", () => {
    const told: string[] = [];
    const config = { sources: [], tasks: [] } as unknown as Config;
    const report = new RunReport({ onNotice: (notice) => told.push(notice.code) }, config);
    report.reused("daily");
    report.nodeLeft("bravo", new Error("gone"));
    expect(told).toEqual(["REUSED", "NODE_FAILED"]);
  });
});
