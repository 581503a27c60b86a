import { describe, expect, it } from "vitest";
import { STATE_BYTES_MAX } from "../../../../src/streams/limits.ts";
import { Groups } from "../../../../src/streams/window/groups.ts";

describe("open groups", () => {
  it("are refused beyond the bytes of a state, and room comes back when a window closes", () => {
    const groups = new Groups(() => undefined);
    const first = groups.openPane(0, 10, 0);
    const second = groups.openPane(10, 10, 0);
    const slot = groups.allocate(first, 0, STATE_BYTES_MAX - 30);
    groups.allocate(second, 0, 30);
    expect(groups.bytes).toBe(STATE_BYTES_MAX);
    groups.close(first, Int32Array.of(slot));
    expect(groups.bytes).toBe(30);
    groups.allocate(second, 1, STATE_BYTES_MAX - 30);
    expect(() => groups.allocate(second, 2, 17)).toThrow(
      expect.objectContaining({
        code: "WINDOW_STATE_FULL",
        message: "3 keys in open windows take more than 256 MiB of state",
        hint: "use smaller windows, less lateness, coarser keys or fewer aggregates",
      }),
    );
  });
});
