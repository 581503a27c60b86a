// Runs a program of the corpus on something small and prints what comes out. `node drive.mjs <name>`
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { argv, stdout } from "node:process";

const require = createRequire(import.meta.url);
const numbers = Array.from({ length: 500 }, (_, i) => (i * 7919) % 1009);
const text = `{ "a" : [${numbers.join(" , ")}],\n\n "b":{"c":null , "d" :1.50e3}}`;
const sha = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A plugin of dprint, by its ABI: what goes in and out stands in bytes that both sides share. */
function dprint(path, source, file) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(require.resolve(path))));
  const give = (content) => {
    const bytes = new TextEncoder().encode(content);
    const at = exports.clear_shared_bytes(bytes.length);
    new Uint8Array(exports.memory.buffer).set(bytes, at);
  };
  const take = (length) =>
    new TextDecoder().decode(new Uint8Array(exports.memory.buffer, exports.get_shared_bytes_ptr(), length));
  give(JSON.stringify({ global: {}, plugin: {} }));
  exports.register_config(1);
  give(file);
  exports.set_file_path();
  give(source);
  const outcome = exports.format(1);
  if (outcome === 2) return take(exports.get_error_text());
  return outcome === 1 ? take(exports.get_formatted_text()) : source;
}

const programs = {
  "sql.js": async () => {
    const SQL = await require("sql.js")();
    const db = new SQL.Database();
    db.run("create table t (a integer, b real, c text)");
    for (const n of numbers) db.run("insert into t values (?, ?, ?)", [n, n / 7, `row ${n}`]);
    const rows = db.exec(
      "select a % 10 k, count(*), sum(b), avg(b), max(c), group_concat(a) from t group by k order by k",
    );
    return [rows, sha(db.export())];
  },
  "@bokuweb/zstd-wasm": async () => {
    const zstd = require("@bokuweb/zstd-wasm");
    await zstd.init();
    const packed = zstd.compress(new TextEncoder().encode(text.repeat(20)), 10);
    return [packed.length, sha(packed), sha(zstd.decompress(packed))];
  },
  "@chainsafe/as-sha256": async () => {
    const { digest, digest64 } = await import("@chainsafe/as-sha256");
    const bytes = new TextEncoder().encode(text);
    const own = Buffer.from(digest(bytes)).toString("hex");
    if (own !== sha(bytes)) throw new Error("another digest than node:crypto's");
    return [own, sha(digest64(bytes.subarray(0, 64)))];
  },
  "@dprint/json": async () => dprint("@dprint/json/plugin.wasm", text, "a.json"),
  "@dprint/toml": async () => dprint("@dprint/toml/plugin.wasm", 'a="b"\n[x.y]\nlist=[1,2,\n3]', "a.toml"),
  "@cedar-policy/cedar-wasm": async () => {
    const cedar = require("@cedar-policy/cedar-wasm/nodejs");
    const policies =
      'permit(principal == User::"alice", action in [Action::"view"], resource) when { context.n < 10 };';
    const ask = (n) =>
      cedar.isAuthorized({
        principal: { type: "User", id: "alice" },
        action: { type: "Action", id: "view" },
        resource: { type: "Photo", id: "p" },
        context: { n },
        policies: { staticPolicies: policies, templates: {}, templateLinks: [] },
        entities: [],
      });
    return [
      ask(1),
      ask(11),
      cedar.policyToJson(policies),
      cedar.formatPolicies?.({ policyText: policies, lineWidth: 40, indentWidth: 2 }),
    ];
  },
  "quickjs-wasi": async () => {
    const { QuickJS } = await import("quickjs-wasi");
    const vm = await QuickJS.create({ wasm: readFileSync(require.resolve("quickjs-wasi/quickjs.wasm")) });
    const code = `const a = ${JSON.stringify(numbers)}; let h = 0; for (const n of a) h = Math.imul(h ^ n, 16777619);
      JSON.stringify([h, a.map((n) => Math.sqrt(n) / 3).reduce((x, y) => x + y), "x".repeat(3), [3, 1, 2].sort(), /(a+)b/.exec("caab")?.[1], (() => { const f = (n) => n < 2 ? n : f(n - 1) + f(n - 2); return f(15); })()])`;
    const result = vm.evalCode(code);
    return vm.dump?.(result) ?? result.toString();
  },
  "@gorules/zen-engine-wasm": async () => {
    const zen = await import("@gorules/zen-engine-wasm");
    zen.initSync({ module: readFileSync(require.resolve("@gorules/zen-engine-wasm/dist/zen_engine_wasm_bg.wasm")) });
    const context = { items: numbers, rate: 0.175 };
    const wanted = ["sum(items) * rate", "max(items) / 7 + len(items)", "avg(map(items, # * rate))"];
    return wanted.map((expression) => zen.evaluateExpression(expression, context));
  },
};

const program = programs[argv[2]];
if (program === undefined) stdout.write(JSON.stringify(Object.keys(programs)));
else stdout.write(JSON.stringify(await program()));
