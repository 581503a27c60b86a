import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rowValues } from "../../../src/batch/rows.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { Lane, ModuleHandle } from "../../../src/sandbox/port.ts";
import { compileModule } from "../../../tools/build-modules.ts";
import { specOf } from "../../support/wat-module.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));

// AssemblyScript: a row names a setting and gets its text; a row `!CODE` fails with that code and the setting `why` as its message.
const SOURCE = `
import { Batch, Message, Output, Setting, Type } from "./src/sandbox/sdk/index";
export { ipdm_abi, ipdm_alloc } from "./src/sandbox/sdk/index";

export function ipdm_process(address: usize, beside: usize): usize {
  const names = Batch.at(address).columnAt(0);
  const output = Output.of(names.rows, 1);
  const text = output.add("text", Type.UTF8, true);
  for (let row = 0; row < names.rows; row++) {
    const name = names.bytes(row);
    const length = names.byteLength(row);
    if (length > 0 && load<u8>(name) == 0x21) {
      const why = Setting.of("why");
      Message.of("row ").number(<u64>row).text(" is ").hex(name, 2).text(": ").quote(why.at, why.length)
        .fail(length > 2 ? "ROW_REFUSED" : "no code");
    }
    const found = Setting.named(name, length);
    if (found.exists) text.pushBytes(found.at, found.length);
    else text.pushNull();
  }
  return output.finish();
}`;

const SETTINGS = { why: "it is \u{e9}vil", long: "ü".repeat(2000), empty: "", __proto__: "own" };

describe("settings and failures of a module", () => {
  const opened: { lane?: Lane; module?: ModuleHandle } = {};
  const schema = schemaOf([{ name: "name", type: "utf8", nullable: false }]);
  const call = (...names: string[]) => {
    const writer = new BatchWriter(schema);
    for (const name of names) writer.push([name]);
    const context = { firstRow: 7, seed: new Uint8Array(32) };
    return (opened.module as ModuleHandle).run(writer.take(), context);
  };

  beforeAll(async () => {
    const bytes = await compileModule(root, "setting.ts", { "setting.ts": SOURCE });
    opened.lane = openLane();
    opened.module = await opened.lane.load({
      ...specOf(bytes as Uint8Array<ArrayBuffer>),
      options: { entry: null, settings: SETTINGS },
    });
  });
  afterAll(() => opened.lane?.close());

  it("gives the text of a setting by its name, and nothing else", async () => {
    const { batch, fuel } = await call("why", "long", "empty", "none", "toString");
    const texts = Array.from({ length: batch.rows }, (_, row) => rowValues(batch, row)[0]);
    expect(texts).toEqual([SETTINGS.why, SETTINGS.long, "", null, null]);
    expect(fuel).toBeGreaterThan(2 * 4000);
  });

  it("ends the call with the module's own code, as a verification that failed", async () => {
    await expect(call("why", "!x!")).rejects.toMatchObject({
      code: "ROW_REFUSED",
      kind: "verification",
      message: expect.stringMatching(/ in rows 7 to 8: row 1 is 0x2178: it is \?\?vil$/) as string,
    });
  });

  it("traps for a code that is none", async () => {
    await expect(call("!x")).rejects.toMatchObject({
      code: "MODULE_TRAP",
      message: expect.stringContaining("ipdm.fail was given a code that is none: no code") as string,
    });
  });
});
