import { describe, expect, it } from "vitest";
import { IN_FLIGHT_BATCHES_MAX, IN_FLIGHT_BYTES_MAX } from "../../../src/sources/limits.ts";
import { SendWindow } from "../../../src/sources/send-window.ts";

/** Takes as often as the window allows without a return; how often that was. */
async function fill(
  window: SendWindow,
  bytes: number,
): Promise<{ readonly taken: number; readonly waiting: Promise<void> }> {
  for (let taken = 0; ; taken++) {
    let granted = false;
    const waiting = window.take(bytes).then(() => {
      granted = true;
    });
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    if (!granted) return { taken, waiting };
  }
}

describe("the window between a reading thread and its consumer", () => {
  it("lets no more than its batches be in flight, and one more for each taken", async () => {
    const window = new SendWindow();
    const { taken, waiting } = await fill(window, 1);
    expect(taken).toBe(IN_FLIGHT_BATCHES_MAX);
    window.returned(1);
    await waiting;
    expect((await fill(window, 1)).taken).toBe(0);
  });

  it("lets no more than its bytes be in flight", async () => {
    const window = new SendWindow();
    const { taken, waiting } = await fill(window, IN_FLIGHT_BYTES_MAX / 4);
    expect(taken).toBe(4);
    window.returned(IN_FLIGHT_BYTES_MAX / 4);
    await waiting;
  });

  it("lets one batch through that is larger than all of it", async () => {
    expect((await fill(new SendWindow(), 2 * IN_FLIGHT_BYTES_MAX)).taken).toBe(1);
  });
});
