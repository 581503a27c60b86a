import wabt from "wabt";
import type { Batch } from "../../src/batch/batch.ts";
import { schemaOf } from "../../src/batch/schema.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import { openLane } from "../../src/sandbox/lane.ts";
import { POLICIES } from "../../src/sandbox/policy.ts";
import { type Measured, median } from "../harness.ts";

const PAGES = 1024;
const MEMORY_BYTES = PAGES * 65_536;
/** One page in a hundred is changed between two checkpoints. */
const STRIDE = 100;
/** Checkpoints a round. */
const TIMES = 20;

/** A module that fills its memory with noise at its first call, and changes a number in every hundredth page at the others. */
const SOURCE = `(module
  (memory (export "memory") ${PAGES})
  (global $filled (mut i32) (i32.const 0))
  (func (export "ipdm_abi") (result i32) (i32.const 1))
  (func (export "ipdm_alloc") (param $bytes i32) (result i32)
    (select (i32.const 4096) (i32.const 1024) (i32.gt_u (local.get $bytes) (i32.const 64))))
  (func (export "ipdm_process") (param $batch i32) (param $descriptor i32) (result i32)
    (local $at i32) (local $noise i32)
    (local.set $at (i32.const 65536))
    (if (i32.load offset=12 (local.get $batch)) (then
      (if (global.get $filled) (then
        (loop $pages
          (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
          (local.set $at (i32.add (local.get $at) (i32.const ${STRIDE * 65_536})))
          (br_if $pages (i32.lt_u (local.get $at) (i32.const ${MEMORY_BYTES})))))
      (else
        (global.set $filled (i32.const 1))
        (loop $words
          (local.set $noise (i32.add (i32.mul (local.get $noise) (i32.const 1664525)) (i32.const 1013904223)))
          (i32.store (local.get $at) (local.get $noise))
          (local.set $at (i32.add (local.get $at) (i32.const 4)))
          (br_if $words (i32.lt_u (local.get $at) (i32.const ${MEMORY_BYTES}))))))))
    (local.get $batch)))`;

/**
 * A checkpoint of a stateful module with 64 MiB of memory, of which one per cent has changed: from the call of `save` to the
 * blocks, through a lane. Beside it a bare comparison of two buffers of that size on the same machine, the least that it costs.
 */
export async function checkpoint(rounds: number, tell: (line: string) => void): Promise<Measured> {
  const binary = (await wabt()).parseWat("checkpoint.wat", SOURCE).toBinary({}).buffer;
  await using lane = openLane();
  const module = await lane.load({
    ...POLICIES.trusted,
    bytes: binary,
    cid: "checkpoint",
    abi: "ipdm/1",
    kind: "stateful",
    columns: null,
    fuelPerCall: 1e10,
    memoryBytesMax: MEMORY_BYTES,
    timeoutMs: 60_000,
  });
  const session = await module.openSession(null);
  const context = { firstRow: 0, seed: new Uint8Array(32) };
  const one = batchOfOne();
  await session.run(one, context);
  const whole = await timed(() => session.save());
  const [left, right] = [Buffer.alloc(MEMORY_BYTES, 7), Buffer.alloc(MEMORY_BYTES, 7)];
  const saves: number[] = [];
  const floors: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (let time = 0; time < TIMES; time++) {
      await session.run(one, context);
      saves.push(await timed(() => session.save()));
      floors.push(await timed(async () => left.compare(right)));
    }
    tell(
      `round ${round} of ${rounds}: checkpoint ${median(saves).toFixed(1)} ms, bare comparison ${median(floors).toFixed(1)} ms`,
    );
  }
  return {
    metrics: {
      checkpoint_64mb_ms: median(saves),
      checkpoint_least_ms: Math.min(...saves),
      checkpoint_vs_compare: median(saves) / median(floors),
      checkpoint_whole_ms: whole,
    },
    notes: {
      checkpoint_64mb_ms: `64 MiB of memory, one page in ${STRIDE} changed: compared, copied, hashed, made into blocks`,
      checkpoint_least_ms: "the fastest of them: what it costs on a machine with nothing else to do",
      checkpoint_vs_compare: "times as long as comparing two buffers of 64 MiB",
      checkpoint_whole_ms: "the first checkpoint, in which every page is new",
    },
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function batchOfOne(): Batch {
  const writer = new BatchWriter(schemaOf([{ name: "n", type: "i32", nullable: false }]));
  writer.push([1]);
  return writer.take();
}
