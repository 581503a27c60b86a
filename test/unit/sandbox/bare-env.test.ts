import { afterEach, expect, it, vi } from "vitest";
import { bareEnv } from "../../../src/sandbox/bare-env.ts";

afterEach(() => vi.unstubAllEnvs());

it("what lanes and readers are started with holds the folder of compiled code, and nothing else of this process", () => {
  expect(process.env["PATH"]).toBeDefined();
  vi.stubEnv("NODE_COMPILE_CACHE", "/compiled");
  expect(bareEnv()).toEqual({ NODE_COMPILE_CACHE: "/compiled" });
  vi.stubEnv("NODE_DISABLE_COMPILE_CACHE", "1");
  expect(bareEnv()).toEqual({});
  vi.unstubAllEnvs();
  vi.stubEnv("NODE_COMPILE_CACHE", undefined);
  expect(bareEnv()).toEqual({});
});
