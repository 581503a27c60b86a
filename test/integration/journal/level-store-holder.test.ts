import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LevelStore } from "../../../src/journal/level-store.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { sha256 } from "./seeded-store.ts";

const CHILD = fileURLToPath(new URL("./append-child.ts", import.meta.url));

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("holder");
});
afterAll(() => folder.remove());

describe("a store that another process has open", () => {
  it("is refused, naming that process, and is free again once it has died", async () => {
    const path = folder.fresh();
    const child = spawn(process.execPath, [CHILD, path, "1"], { stdio: ["ignore", "pipe", "inherit"] });
    const closed = once(child, "close");
    let told = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) if (/^entry .*\n/m.test((told += String(chunk)))) break;
    const opening = LevelStore.open({ path, hash: sha256 });
    await expect(opening).rejects.toMatchObject({
      code: "DATA_DIR_IN_USE",
      message: `process ${child.pid} uses the data folder ${path}`,
      facts: { pid: child.pid },
    });
    child.kill("SIGKILL");
    await closed;
    await using store = await LevelStore.open({ path, hash: sha256 });
    expect((await store.actors()).length).toBeGreaterThan(0);
  });
});
