import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { ModuleTaskConfig } from "../../../src/config/config.ts";
import { parseEvent, signatureOf, topicOf } from "../../../src/config/ethereum/event-signature.ts";
import { parseConfig } from "../../../src/config/load.ts";
import type { IpdmError } from "../../../src/core/errors.ts";
import { makeTestFolder } from "../../support/folder.ts";

const folder = await makeTestFolder("chain-task");
afterAll(() => folder.remove());

const configOf = (tasks: string, source = "ethereum: ./blocks", output = "t"): string => `name: demo
sources:
  blocks: { ${source} }
tasks:
  ${tasks}
outputs:
  table: { input: ${output}, file: t.csv }
`;
const parsed = async (text: string): Promise<readonly ModuleTaskConfig[]> =>
  (await parseConfig(text, join(folder.path, "ipdm.yaml"), "ipdm.yaml")).config.tasks as readonly ModuleTaskConfig[];
const refused = (text: string): Promise<IpdmError> =>
  parsed(text).then(
    () => expect.unreachable("it was not refused"),
    (error: IpdmError) => error,
  );
const planOf = (task: ModuleTaskConfig | undefined): readonly string[] =>
  Object.entries(task?.settings ?? {})
    .filter(([name]) => name.startsWith("plan."))
    .map(([, value]) => value)
    .join("")
    .trimEnd()
    .split("\n");

describe("an event's signature", () => {
  it.each([
    ["Transfer(address indexed from, address indexed to, uint256 value)", "Transfer(address,address,uint256)"],
    ["event A(uint a, int indexed, byte_ bytes)", undefined],
    [
      "  event A (uint a,int[2][] indexed b ,(bool,tuple(string s)[]) c) anonymous;",
      "A(uint256,int256[2][],(bool,(string)[]))",
    ],
    ["B()", "B()"],
    ["C(function f, address payable p, bytes1)", "C(bytes24,address,bytes1)"],
  ])("of %s is %s", (text, signature) => {
    if (signature === undefined)
      expect(() => parseEvent(text)).toThrow(expect.objectContaining({ code: "EVENT_ABI_INVALID" }));
    else expect(signatureOf(parseEvent(text))).toBe(signature);
  });

  it("has the hash that everyone knows", () => {
    const event = parseEvent("Transfer(address indexed from, address indexed to, uint256 value)");
    expect(topicOf(event)).toBe("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
  });

  it.each([
    "",
    "Transfer",
    "A(",
    "A)",
    "A((uint)",
    "A(uint a b)",
    "A(uint7 a)",
    "A(bytes33 a)",
    "A(fixed a)",
    "1A()",
    "A(uint indexed a, uint indexed b, uint indexed c, uint indexed d)",
    `A(${"(".repeat(9)}uint${")".repeat(9)} a)`,
    "A(uint[9999999][9] a)",
    `A(${"uint,".repeat(32)}uint)`,
  ])("is refused: %s", (text) =>
    expect(() => parseEvent(text)).toThrow(expect.objectContaining({ code: "EVENT_ABI_INVALID", kind: "config" })),
  );
});

describe("a task of a chain", () => {
  it("runs the module of the chain with the level of its source", async () => {
    const [task] = await parsed(
      configOf(
        "t: { input: blocks, table: logs, columns: { timestamp: timestamp } }",
        "ethereum: ./b, verify: links, senders: trust",
      ),
    );
    expect(task).toMatchObject({
      module: "ipdm:ethereum",
      settings: { table: "logs", verify: "links", senders: "trust", "column.timestamp": "timestamp" },
    });
    const [votes] = await parsed(configOf("t: { input: blocks, table: votes }", "solana: ./b"));
    expect(votes).toMatchObject({ module: "ipdm:solana", settings: { table: "votes", verify: "full" } });
  });

  it("plans events, their columns and what is let through", async () => {
    const where = `{ token: "0x${"AB".repeat(20)}", value: [5, "0x10"] }`;
    const tasks = await parsed(
      configOf(
        `l: { input: blocks, table: logs }\n  t: { input: l, events: erc20, where: ${where}, columns: { value: i64, timestamp: timestamp } }`,
      ),
    );
    expect(planOf(tasks[1])).toEqual([
      "a token",
      "t 12",
      "c 16 20 0 from",
      "c 16 20 0 to",
      "c 5 0 0 value",
      "e ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef 3 Transfer",
      "p 0 1 0 a",
      "p 1 1 0 a",
      "p 2 0 0 u256",
      `w a ${"ab".repeat(20).padStart(64, "0")}`,
      `w 2 ${"5".padStart(64, "0")}`,
      `w 2 ${"10".padStart(64, "0")}`,
    ]);
  });

  it("adds a task for the rejected logs, whether or not an output asks for them", async () => {
    const text = "l: { input: blocks, table: logs }\n  t: { input: l, events: erc20 }";
    for (const output of ["t.rejected", "t"]) {
      const tasks = await parsed(configOf(text, undefined, output));
      expect(tasks.map(({ name }) => name)).toEqual(["l", "t", "t.rejected"]);
      expect(tasks[2]?.settings).toMatchObject({ rows: "rejected" });
    }
    expect((await refused(configOf("t: { input: blocks, table: logs }", undefined, "t.rejected"))).message).toContain(
      "rejects nothing",
    );
  });

  it("reads events of an ABI file, and cuts a long plan into pieces", async () => {
    const pair = {
      type: "tuple[]",
      name: "pairs",
      components: [
        { type: "uint8", name: "a" },
        { type: "string", name: "b" },
      ],
    };
    const events = Array.from({ length: 60 }, (_, i) => ({
      type: "event",
      name: `Happened${i}`,
      inputs: [
        { name: "block", type: "uint256", indexed: true },
        { name: "", type: "bytes32" },
        ...(i === 0 ? [pair] : []),
      ],
    }));
    await writeFile(
      join(folder.path, "abi.json"),
      JSON.stringify({ abi: [{ type: "constructor" }, ...events, events[1]] }),
    );
    const task = async (events: string): Promise<ModuleTaskConfig | undefined> =>
      (await parsed(configOf(`l: { input: blocks, table: logs }\n  t: { input: l, events: ${events} }`)))[1];
    const all = await task("{ abi: ./abi.json }");
    expect(Object.keys(all?.settings ?? {}).length).toBeGreaterThan(1);
    expect(planOf(all).filter((line) => line.startsWith("e ")).length).toBe(60);
    const some = planOf(await task("{ abi: ./abi.json, names: [Happened0] }"));
    expect(some).toContain("c 13 0 0 Happened0_block");
    expect(some).toContain("p 2 0 0 [](u8s)");
    const missing = await refused(
      configOf("l: { input: blocks, table: logs }\n  t: { input: l, events: { abi: ./abi.json, names: [Hapened0] } }"),
    );
    expect(missing).toMatchObject({
      code: "EVENT_ABI_INVALID",
      hint: "did you mean Happened0?",
      where: "ipdm.yaml:6:26",
    });
    const gone = await refused(
      configOf("l: { input: blocks, table: logs }\n  t: { input: l, events: { abi: ./none.json } }"),
    );
    expect(gone.code).toBe("EVENT_ABI_MISSING");
    for (const text of [
      "{}",
      "[1",
      '{"abi":5}',
      `{"abi":${"[".repeat(20)}${"]".repeat(20)}}`,
      '[{"type":"event"}]',
      '[{"type":"event","name":"A","inputs":[{"type":"uin"}]}]',
      '[{"type":"event","name":"A","inputs":[{"type":"tuple"}]}]',
      "[]",
    ]) {
      await writeFile(join(folder.path, "bad.json"), text);
      await expect(task("{ abi: ./bad.json }")).rejects.toMatchObject({ code: "EVENT_ABI_INVALID", kind: "config" });
    }
  });

  it.each([
    ["t: { input: blocks, table: lgos }", /has no table "lgos"/, "did you mean logs?"],
    ["t: { input: blocks, table: logs, columns: { data: utf8 } }", /data has its type/, "leave it out"],
    ["t: { input: blocks, table: logs, columns: { timestamp: i64 } }", /can be u64 or timestamp/, "leave it out"],
    ["t: { input: blocks, table: logs, module: ipdm:ethereum }", /has both module and table/, /two tasks/],
    ["t: { input: blocks, table: logs, key: [address] }", /belongs to a task with window, not with table/, /move it/],
    ["t: { input: blocks, table: logs, where: { a: 1 } }", /where belongs to a task with events/, "remove it"],
    ["t: { input: blocks, module: ipdm:ethereum, columns: { a: i64 } }", /columns belongs to a task/, "remove it"],
    ["t: { input: blocks, events: erc-20 }", /no events "erc-20"/, "did you mean erc20?"],
    ["t: { input: blocks, events: ['A(uint7 x)'] }", /"uint7" is no type/, /write address/],
    [
      "t: { input: blocks, events: erc20, where: { tokn: 1 } }",
      /where.tokn: there is no such column/,
      /token, from, to, value/,
    ],
    ["t: { input: blocks, events: erc20, where: { token: '0x12' } }", /where.token: "0x12" is no address/, undefined],
    [
      `t: { input: blocks, events: erc20, where: { token: 0x${"ab".repeat(20)} } }`,
      /where.token:.* is no address/,
      /quotes/,
    ],
    ["t: { input: blocks, events: erc20, where: { token: [] } }", /must be at least 1 entry/, undefined],
    ["t: { input: blocks, events: 'A(uint8 x)', where: { x: 256 } }", /256 is no uint8/, undefined],
    ["t: { input: blocks, events: 'A(string x)', where: { x: a } }", /string cannot be compared/, /module behind/],
    ["t: { input: blocks, events: erc20, columns: { value: f64 } }", /columns.value: value cannot be f64/, /utf8/],
    ["t: { input: blocks, events: erc20, columns: { amount: i64 } }", /no parameter of that name/, /from, to, value/],
    ["t: { input: blocks, events: erc20, columns: { timestamp: i64 } }", /timestamp cannot be i64/, /timestamp/],
  ])("is refused: %s", async (task, message, hint) => {
    const error = await refused(configOf(task));
    expect(error.message).toMatch(message);
    if (hint !== undefined) expect(error.hint).toMatch(hint);
    expect(error.where).toMatch(/^ipdm\.yaml:5:/);
  });

  it.each([
    ["events: erc20\n    where:\n      token: '0x12'", /^ipdm\.yaml:9:14$/, /^tasks\.t\.where\.token: "0x12" is no/],
    ["events: erc20\n    where: { tokn: 1 }", /^ipdm\.yaml:8:/, /^tasks\.t\.where\.tokn: there is no such/],
    ["events: erc20\n    columns:\n      amount: i64", /^ipdm\.yaml:9:15$/, /^tasks\.t\.columns\.amount: the events/],
    ["events: 'A(uint8 x)'\n    where: { x: [1, 256] }", /^ipdm\.yaml:8:17$/, /^tasks\.t\.where\.x: 256 is no uint8/],
  ])("is refused where it is wrong: %s", async (task, where, message) => {
    const error = await refused(configOf(`t:\n    input: blocks\n    ${task}`));
    expect(error.where).toMatch(where);
    expect(error.message).toMatch(message);
  });

  it("needs a chain for a table", async () => {
    expect((await refused(configOf("t: { input: blocks, table: logs }", "file: ./rows.csv"))).message).toContain(
      "blocks is no chain",
    );
  });
});
