import { REDPANDA_FUNCTIONS } from "../host/redpanda.ts";
import { Tab } from "../host/tab.ts";
import { WASI_FUNCTIONS } from "../host/wasi-table.ts";
import { Stop } from "../stop.ts";
import { checkExport, checkImports, checkMemory } from "./face.ts";
import { RowCollector, RowTexts } from "./json-rows.ts";
import { type AbiAdapter, blockOf } from "./port.ts";
import { BatchEnd, REDPANDA_TRANSFORM, RedpandaEnv } from "./redpanda-env.ts";
import { checkEnd } from "./wasi.ts";
import { wasiBeside } from "./wasi-beside.ts";

const IMPORTS = { ...REDPANDA_FUNCTIONS, ...WASI_FUNCTIONS };

/**
 * Data transforms of Redpanda (docs/reference/redpanda.md): programs that pull records in a loop and write others. A row is a record
 * whose value is a JSON object. A call is one batch of records; asking for another ends it.
 */
export const redpandaAbi: AbiAdapter = {
  check(face) {
    checkImports(face, IMPORTS);
    checkMemory(face);
    checkExport(face, "_start", "()->()");
  },

  version: () => 1,

  call(host, work) {
    const texts = new RowTexts(blockOf(work));
    const tab = new Tab(host);
    const collector = new RowCollector(work, tab);
    // A broker hands out no batches without records.
    if (texts.rows === 0) return collector.take();
    const env = new RedpandaEnv({ host, tab, texts, collector, descriptor: new DataView(work.descriptor) });
    const wasi = wasiBeside(host, work, texts.schema);
    try {
      const exports = host.instantiate({ [REDPANDA_TRANSFORM]: env.imports(), ...wasi.imports() });
      (exports["_start"] as () => void)();
    } catch (error) {
      if (error instanceof BatchEnd) {
        tab.settle();
        return collector.take();
      }
      checkEnd(error, wasi);
    } finally {
      wasi.errors.end();
    }
    throw new Stop("trap", "the transform ended before it asked for another batch");
  },
};
