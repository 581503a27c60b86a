import { openLane } from "../../../src/sandbox/lane.ts";
import { openLanes } from "../../../src/sandbox/lane-pool.ts";
import { laneContract } from "./lane.contract.ts";

laneContract("one lane", { open: () => openLane() });
laneContract("a pool of one thread", { open: () => openLanes({ lanes: 1 }) });
laneContract("a pool of three threads", { open: () => openLanes({ lanes: 3 }) });
laneContract("a pool of two processes", { open: () => openLanes({ lanes: 2, isolation: "process" }) });
