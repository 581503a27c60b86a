import { describe, expect, it } from "vitest";
import { STRAYS_PER_MEMBER_MAX } from "../../../actors/domain/strays.ts";
import { simulate } from "./simulation.ts";

describe("a domain under faults", () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    it(`seals the same on every node, whatever is lost, killed or split (seed ${seed})`, async () => {
      const report = await simulate({ seed });
      expect(report.accused.size).toBe(0);
    });
  }
  for (const seed of [11, 12]) {
    it(`certifies no lie and names the liar (seed ${seed})`, async () => {
      const report = await simulate({
        seed,
        members: 3,
        quorum: 2,
        liars: 1,
        drop: 0,
        kills: 0,
        splits: 0,
        policy: { verify: "full" },
      });
      expect([...report.accused.keys()]).toEqual(["n2"]);
    });
  }
  it("outlives two liars of five, kills and splits (seed 21)", async () => {
    await simulate({ seed: 21, members: 5, quorum: 3, liars: 2 });
  });
  it("names a member that votes twice, and gives its junk no more room than it has (seed 31)", async () => {
    const report = await simulate({
      seed: 31,
      members: 4,
      quorum: 3,
      hostile: 1,
      drop: 0,
      kills: 0,
      splits: 0,
      rows: 600,
    });
    expect([...report.accused.keys()]).toEqual(["n3"]);
    expect([...(report.accused.get("n3") ?? [])]).toContain("equivocation");
    for (const { strays } of report.held) expect(strays).toBeLessThanOrEqual(4 * STRAYS_PER_MEMBER_MAX);
  });
  it("recovers when every node is killed at once, again and again (seed 41)", async () => {
    const report = await simulate({ seed: 41, members: 3, kills: 12, policy: { verify: "sample", share: 500_000 } });
    expect(report.restarts).toBeGreaterThan(3);
  });
  it("comes to its end without any gossip, by asking alone (seed 61)", async () => {
    await simulate({
      seed: 61,
      members: 4,
      quorum: 4,
      drop: 1,
      kills: 2,
      rows: 200,
      policy: { verify: "sample", share: 500_000 },
    });
  });
  it("of one member goes on where it was killed (seed 51)", async () => {
    const report = await simulate({
      seed: 51,
      members: 1,
      quorum: 1,
      kills: 12,
      splits: 0,
      policy: { verify: "sample", share: 500_000 },
    });
    expect(report.restarts).toBeGreaterThan(3);
  });
});
