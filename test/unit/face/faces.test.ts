import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../../..");

/** Names that a program may rely on: taking one away is a breaking change. */
const FACES: Readonly<Record<string, readonly string[]>> = {
  ".": [
    ...[
      "runConfig",
      "verifyReceiptFile",
      "replayReceiptFile",
      "openStream",
      "openSource",
      "openSink",
      "IpdmError",
      "hasCode",
      "EXIT_CODES",
    ],
    ...["Batch", "BatchWriter", "decodeBatch", "rowValues", "schemaOf", "valueAt", "isBatch", "drain", "source"],
    ...[
      "aggregate",
      "count",
      "eventTime",
      "filterRows",
      "keyBy",
      "mapBatch",
      "max",
      "mean",
      "min",
      "select",
      "sum",
      "toRows",
      "tumble",
    ],
  ],
  "./streams": ["aggregate", "eventTime", "keyBy", "source", "toRows", "tumble", "TumblingAggregate"],
  "./replay": ["replayJournal", "replayReceiptFile", "verifyReceiptFile"],
  "./proofs": [
    "verifyReceipt",
    "verifyGroth16",
    "parseVerifyingKey",
    "merkleRoot",
    "inclusionProof",
    "verifyInclusion",
    "CHECKS",
  ],
  "./machines": ["MACHINES", "taskMachine", "domainMachine", "lakeMachine"],
  "./sandbox": ["openLane", "validateModule", "checkRowsProperty"],
  "./testing": ["Kernel", "MemoryHub", "MemoryScheduler", "MemoryStore"],
};

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
}

/** The source behind a built file. */
const sourceOf = (built: string): string => built.replace("./dist/", "./").replace(/\.js$/, ".ts");

describe("public faces", () => {
  it("are the ones of package.json, each with its names", async () => {
    const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Manifest;
    const modules = Object.entries(exports).flatMap(([face, entry]) =>
      typeof entry === "string" ? [] : [{ face, entry }],
    );
    expect(modules.map(({ face }) => face)).toEqual(Object.keys(FACES));
    for (const { face, entry } of modules) {
      expect(entry.types, face).toBe(entry.default.replace(/\.js$/, ".d.ts"));
      const loaded = (await import(join(ROOT, sourceOf(entry.default)))) as Record<string, unknown>;
      for (const name of FACES[face] ?? []) expect(loaded[name], `${face} ${name}`).toBeDefined();
    }
  });

  it("re-export by name and hold no logic", async () => {
    const { exports } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Manifest;
    for (const entry of Object.values(exports)) {
      if (typeof entry === "string") continue;
      const text = await readFile(join(ROOT, sourceOf(entry.default)), "utf8");
      const rest = text.replace(/\/\*\*[\s\S]*?\*\//g, "").replace(/export (type )?\{[^}]*\} from "[^"]+";/g, "");
      expect(rest.trim(), entry.default).toBe("");
    }
  });
});
