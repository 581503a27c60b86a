import { defineConfig } from "vitest/config";

// One project a lane; `long` and `browser` run only when named.
const lanes = ["unit", "contract", "property", "simulation", "integration", "e2e", "long"];
/** Measures the memory of its process, and so has one of its own: it runs with the lane whose files all have. */
const ALONE = "test/integration/sources/flights.test.ts";

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    // Tests that run modules without a lane need this as lanes do: src/sandbox/lane-thread.ts.
    execArgv: ["--no-wasm-code-gc"],
    globalSetup: ["test/support/seed-report.ts", "test/support/compile-cache.ts"],
    projects: lanes.map((name) => ({
      extends: true,
      test: {
        name,
        include: name === "e2e" ? [`test/${name}/**/*.test.ts`, ALONE] : [`test/${name}/**/*.test.ts`],
        exclude: name === "integration" ? [ALONE] : [],
        setupFiles: ["test/support/seed.ts", "test/support/compiled-code.ts"],
        // These keep nothing from one file to the next, so they need no process of their own.
        isolate: !["unit", "contract", "property", "simulation", "integration"].includes(name),
        testTimeout: name === "unit" || name === "property" ? 20_000 : 120_000,
        hookTimeout: 60_000,
      },
    })),
  },
});
