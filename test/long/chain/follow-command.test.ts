import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../../support/audit.ts";
import { blockHash } from "../../support/blocks.ts";
import { build, endAll, lastJson, run, start } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { RpcServer } from "../../support/rpc-server.ts";

let folder: TestFolder;
let server: RpcServer;
beforeAll(async () => {
  build();
  folder = await makeTestFolder("follow-command");
  server = await RpcServer.open();
});
afterAll(async () => {
  endAll();
  await server[Symbol.asyncDispose]();
  await folder.remove();
});

async function configure(range: string): Promise<string> {
  const path = join(folder.path, `${range.replaceAll(/\W+/g, "-")}.yaml`);
  const source = `blocks: { ethereum: "${server.url}", range: { ${range} }, finality: 3 }`;
  await writeFile(path, `name: heads\nsources:\n  ${source}\noutputs:\n  all: { input: blocks, file: all.csv }\n`);
  return path;
}

describe("a command that reads from an endpoint", () => {
  it("seals what is final at Ctrl-C, goes on after kill -9, and ends as if it had never stopped", {
    timeout: 60_000,
  }, async () => {
    server.make(1, 20);
    const out = folder.fresh("out");
    const args = ["run", await configure("from: 1"), "--out", out, "--json"];
    let grown = 20;
    let isSeen: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => (isSeen = resolve));
    server.deed = () => {
      if (grown > 25) isSeen();
      // The chain grows with every other look at it.
      if (server.requests % 2 === 0 && grown < 40) server.make(grown + 1, ++grown);
      return undefined;
    };
    const killed = start(args);
    await killed.says('"phase":"running"');
    killed.child.kill("SIGKILL");
    expect((await killed.ended).code).toBeNull();

    const followed = start(args);
    await followed.says('"phase":"following"');
    await seen;
    followed.child.kill("SIGINT");
    const ended = await followed.ended;
    expect(ended.code, ended.stderr).toBe(0);
    const { rows, result } = lastJson(ended) as { rows: { in: number }; result: string };
    expect(rows.in).toBeGreaterThanOrEqual(1);
    await audit(out);

    const bounded = folder.fresh("bounded");
    const whole = await run(["run", await configure(`from: 1, to: ${rows.in}`), "--out", bounded, "--json"]);
    expect(lastJson(whole)["result"]).toBe(result);
    expect(await readFile(join(bounded, "all.csv"))).toEqual(await readFile(join(out, "all.csv")));
  });

  it("fetches on where kill -9 ended it, and names what is not there", { timeout: 60_000 }, async () => {
    server.make(1, 60, { branch: "c" });
    const out = folder.fresh("out");
    const args = ["run", await configure("from: 2, to: 50"), "--out", out, "--json"];
    let killed: ReturnType<typeof start> | undefined;
    server.deed = (calls) => {
      if (calls.some(({ params }) => Number(params[0]) === 45)) killed?.child.kill("SIGKILL");
      return killed === undefined || !killed.child.killed ? undefined : "hang up";
    };
    killed = start(args);
    await killed.ended;
    killed = undefined;
    const before = server.calls.length;
    const ended = await run(args);
    expect(ended.code, ended.stderr).toBe(0);
    const again = server.calls.slice(before).filter(({ method }) => method === "eth_getBlockReceipts");
    expect(again.length).toBeLessThan(49);
    const csv = await readFile(join(out, "all.csv"), "utf8");
    expect(csv).toContain(blockHash(50, "c"));
    const missing = await run(["run", await configure("from: 2, to: 70"), "--out", folder.fresh("out"), "--json"]);
    expect(missing.code).toBe(5);
    expect(lastJson(missing)).toMatchObject({ code: "CHAIN_GAP", exit: 5 });
  });
});
