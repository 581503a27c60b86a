import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import { expect, it } from "vitest";
import { bareEnv } from "../../../src/sandbox/bare-env.ts";

it("what lanes and readers are started with holds the folder of compiled code, and nothing else of this process", () => {
  // support/compile-cache.ts has set it for this run.
  expect(process.env["NODE_COMPILE_CACHE"]).toBe(dirname(String(getCompileCacheDir())));
  expect(process.env["PATH"]).toBeDefined();
  expect(bareEnv()).toEqual({ NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] });
});
