import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { directionComplaints, LAYERS, readTree } from "../../../tools/import-directions.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

describe("import directions", () => {
  it("are kept in this repository", async () => {
    const tree = await readTree(ROOT);
    expect(tree.size).toBeGreaterThan(50);
    expect(directionComplaints(tree)).toEqual([]);
    // The same tree with one wrong import in it.
    const [path, text] = ["src/core/errors.ts", tree.get("src/core/errors.ts")];
    const broken = new Map([...tree, [path, `${text}\nexport { CODEC } from "../dag/block.ts";\n`]]);
    expect(directionComplaints(broken)).toEqual([expect.stringContaining("src/core may not import from src/dag")]);
  });

  /** The complaints about one planted file. */
  const planted = (path: string, text: string, more: Record<string, string> = {}): readonly string[] =>
    directionComplaints(new Map([...Object.entries(more), [path, text]])).filter((each) => each.startsWith(`${path}:`));

  it("are broken by an import that goes outwards, in every form", () => {
    const forms = [
      `import { openNode } from "../runtime/planted-target.ts";`,
      `import type { Node } from "../runtime/planted-target.ts";`,
      `import { type A, b as c } from "../runtime/planted-target.ts";`,
      `import * as node from '../runtime/planted-target.ts'`,
      `import "../runtime/planted-target.ts";`,
      `export { a } from "../runtime/planted-target.ts";`,
      `export * from "../runtime/planted-target.ts";`,
      `export * as a from "../runtime/planted-target.ts";`,
      `export type { A } from "../runtime/planted-target.ts";`,
      `const a = await import("../runtime/planted-target.ts");`,
      "const a = await import(`../runtime/planted-target.ts`);",
      `let a: import("../runtime/planted-target.ts").A;`,
      `const a = new URL("../runtime/planted-target.ts", import.meta.url);`,
      `const a = require("../runtime/planted-target.ts");`,
      `const t = \`\${a}"\${b.map((x) => { return "}"; })}\`; export * from "../runtime/planted-target.ts";`,
      `const r = /["'\`/*]/g; import("../runtime/planted-target.ts");`,
    ];
    for (const form of forms) {
      const found = planted("src/core/planted.ts", form, { "src/runtime/planted-target.ts": "export const a = 1;" });
      expect(found, form).toEqual([expect.stringContaining("src/core may not import from src/runtime")]);
    }
  });

  it("are not broken by what only looks like an import", () => {
    const innocent = [
      `// import "../runtime/x.ts"`,
      `/* export * from "../runtime/x.ts" */`,
      `const text = 'import "../runtime/x.ts"';`,
      'const text = `import "../runtime/x.ts"`;',
      `/** import("../runtime/x.ts") */ const x = 1;`,
      `const x = { import: 1 }; log.import("../runtime/x.ts");`,
      `export type Import = "../runtime/x.ts"; const from = "../runtime/x.ts";`,
      `export { from }; const y = "../runtime/x.ts";`,
    ];
    for (const text of innocent) expect(planted("src/core/planted.ts", text), text).toEqual([]);
  });

  it("hold between every two folders", () => {
    const file = (layer: string): string => (layer.endsWith(".ts") ? layer : `${layer}/planted.ts`);
    for (const [i, from] of LAYERS.entries()) {
      for (const [j, to] of LAYERS.entries()) {
        if (from === to) continue;
        const up = "../".repeat(file(from).split("/").length - 1) || "./";
        const found = planted(file(from), `import "${up}${file(to)}";`, { [file(to)]: "" });
        expect(found.length, `${from} → ${to}`).toBe(j > i ? 1 : 0);
      }
    }
  });

  it("keep GPL packages inside circuits/, and out of the processes of everybody else", () => {
    for (const name of ["snarkjs", "circom2/cli.js", "circomlib/package.json", "circomlibjs", "ffjavascript"]) {
      for (const path of ["proofs/planted.ts", "src/cli/planted.ts", "test/unit/planted.test.ts", "tools/planted.ts"]) {
        expect(planted(path, `import { x } from "${name}";`)).toEqual([expect.stringContaining("GPL")]);
        const started = planted(path, `const x = require.resolve("${name}");`);
        expect(started).toEqual(path.startsWith("test/") ? [] : [expect.stringContaining("GPL")]);
      }
      expect(planted("circuits/planted.ts", `import { x } from "${name}";`)).toEqual([]);
    }
    const more = {
      "circuits/planted-prover.ts": `import "snarkjs";`,
      "circuits/planted-between.ts": `export * from "./planted-prover.ts";`,
    };
    for (const name of ["planted-prover", "planted-between"]) {
      expect(planted("proofs/planted.ts", `import { x } from "../circuits/${name}.ts";`, more)).toEqual([
        expect.stringContaining("GPL"),
      ]);
      expect(planted("proofs/planted.ts", `import type { x } from "../circuits/${name}.ts";`, more)).toEqual([]);
      expect(planted("proofs/planted.ts", `new URL("../circuits/${name}.ts", import.meta.url);`, more)).toEqual([]);
    }
  });

  it("keep Node out of the pure folders", () => {
    for (const folder of ["src/core", "src/dag", "src/batch", "src/consensus", "machines/task"]) {
      for (const name of ["node:fs", "fs", "fs/promises", "node:crypto"]) {
        expect(planted(`${folder}/planted.ts`, `import { x } from "${name}";`)).toEqual([
          expect.stringContaining("is pure"),
        ]);
      }
      expect(planted(`${folder}/planted.ts`, `import { CID } from "multiformats/cid";`)).toEqual([]);
    }
    expect(planted("src/journal/planted.ts", `import "node:fs";`)).toEqual([]);
  });

  it("refuse files outside the layout, and imports of tests and tools", () => {
    expect(planted("src/stray/planted.ts", "")).toEqual([expect.stringContaining("in no folder of the layout")]);
    expect(planted("src/cli/planted.ts", `import "../../tools/build.ts";`, { "tools/build.ts": "" })).toEqual([
      expect.stringContaining("may not import tools/"),
    ]);
    expect(planted("src/cli/planted.ts", `import "./not-there.ts";`)).toEqual([
      expect.stringContaining("no file of this tree"),
    ]);
  });
});
