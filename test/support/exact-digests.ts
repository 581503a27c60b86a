// Prints what comes out of each pipeline, and what generated tables are, as digests: to compare engines.
import { createHash } from "node:crypto";
import { stdout } from "node:process";
import { NEXMARK_TABLES } from "../../src/sources/generated/kind.ts";
import { nexmarkBatch } from "../../src/sources/generated/nexmark-tables.ts";
import { digest, PIPELINES } from "./exact-pipelines.ts";

const found: Record<string, string> = {};
for (const [name, pipeline] of Object.entries(PIPELINES)) found[name] = await digest(pipeline, 1000, 4);
for (const table of NEXMARK_TABLES)
  found[table] = createHash("sha256")
    .update(nexmarkBatch(table, 5_000_000, 4096, 777).bytes)
    .digest("hex");
stdout.write(JSON.stringify(found));
