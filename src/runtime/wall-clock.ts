import { randomInt } from "node:crypto";
import type { Clock, Entropy } from "../core/ports.ts";

/** The time of this machine. Its timers do not keep a process alive by themselves. */
export const wallClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Randomness of the operating system, in steps of 2^-48. */
export const systemEntropy: Entropy = () => randomInt(2 ** 48 - 1) / 2 ** 48;
