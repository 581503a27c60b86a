import type { Schema } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";
import { WASI_MODULE } from "../host/wasi-table.ts";
import { checkMemory } from "./face.ts";
import type { AbiFace, AbiHost, AbiWork } from "./port.ts";
import { WasiFunctions } from "./wasi-functions.ts";

/**
 * WASI for modules that get their rows in another way, where libraries call it all the same: standard input is at its end, what goes
 * to standard output is dropped; the rest is as under `wasi/1` (docs/reference/wasi.md).
 */
export function wasiBeside(host: AbiHost, work: AbiWork, input: Schema): WasiFunctions {
  return new WasiFunctions(host, work, new BatchWriter(input).take(), "ndjson");
}

/** Checks that a module that imports WASI has the memory that WASI's functions read and write. */
export function checkWasiMemory(face: AbiFace): void {
  if (face.shape.imports.some(({ module }) => module === WASI_MODULE)) checkMemory(face);
}
