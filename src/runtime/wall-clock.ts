import { randomInt } from "node:crypto";
import type { Clock, Entropy } from "../core/ports.ts";

/** The time of this machine. Its timers keep a process alive, as everybody's do: a runtime that is closed has none. */
export const wallClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Randomness of the operating system, in steps of 2^-48. */
export const systemEntropy: Entropy = () => randomInt(2 ** 48 - 1) / 2 ** 48;
