import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { AheadLog } from "./ahead-log.ts";
import type { AheadRecord } from "./ahead-record.ts";
import { type CommitMark, readCommits } from "./commit-log.ts";
import { CommitWitness } from "./commit-witness.ts";
import { CommitWriter } from "./commit-writer.ts";
import type { Tip } from "./continuity.ts";
import { corrupt, damagedCommit, writeFailed } from "./errors.ts";
import { noteHolder } from "./holder.ts";
import { IndexFeed, markWrite, writesOf } from "./index-feed.ts";
import { LevelBlocks } from "./level-blocks.ts";
import { LevelIndex } from "./level-index.ts";
import type { AppliedMark } from "./level-keys.ts";
import type { LevelStoreOptions } from "./level-store.ts";
import { AHEAD_LEFT_BYTES } from "./limits.ts";
import { Segments, syncDirectory } from "./segments.ts";

/** What a store on disk is made of. */
export interface StoreParts {
  readonly index: LevelIndex;
  readonly segments: Segments;
  readonly witness: CommitWitness;
  readonly log: AheadLog;
  readonly feed: IndexFeed;
  readonly blocks: LevelBlocks;
  readonly writer: CommitWriter;
}

/** Tips compared at once when a store from before the write-ahead log is opened. */
const TIPS_PAGE = 1000;

/** Commits brought into LevelDB at once at a start. */
const REPLAY_PAGE = 256;

/** Opens the files of a store. Throws `DATA_DIR_IN_USE`, `JOURNAL_CORRUPT`, `DISK_FULL`, `JOURNAL_WRITE_FAILED`. */
export async function openParts(options: LevelStoreOptions): Promise<StoreParts> {
  const { path, hash, segmentBytes, aheadBytes, tableBytesChecked, failed } = options;
  await mkdir(path, { recursive: true }).catch((cause: unknown) => {
    throw writeFailed(cause, path);
  });
  const index = await LevelIndex.open(path, tableBytesChecked);
  let witness: CommitWitness | undefined;
  let log: AheadLog | undefined;
  try {
    await noteHolder(path);
    const opened = await CommitWitness.open(join(path, "commits"));
    witness = opened.witness;
    const applied = (await index.mark()) ?? (await fromOlder(index, hash, opened.mark));
    const release = async (): Promise<void> => {
      await parts.feed.settled();
      await index.flush();
    };
    const ahead = await AheadLog.open(path, applied, { hash, release, fileBytes: aheadBytes });
    log = ahead.log;
    const { records } = ahead.contents;
    checkWitness(records, log.mark, opened.mark);
    await replay(index, records);
    const tail = records.at(-1)?.segments ?? applied.segments;
    const segments = await Segments.open(join(path, "segments"), await index.completed(), tail, segmentBytes);
    await syncDirectory(path);
    const feed = new IndexFeed(index, path, log.mark.number, failed);
    index.before = () => feed.settled();
    const blocks = new LevelBlocks(index, segments, hash);
    const writer = new CommitWriter({ path, index, segments, blocks, log, feed, witness, failed });
    const parts: StoreParts = { index, segments, witness, log, feed, blocks, writer };
    return parts;
  } catch (error) {
    await log?.close();
    await witness?.close();
    await index.close();
    throw error instanceof IpdmError ? error : writeFailed(error, path);
  }
}

/** Lets go of the files, but for LevelDB, which keeps others out. Nothing may be on its way any more. */
export async function closeParts({ index, segments, witness, log, feed }: StoreParts): Promise<void> {
  // What LevelDB could not take is in the log, and safe.
  const isWhole = await (feed.settled() ?? Promise.resolve()).then(
    () => true,
    () => false,
  );
  if (isWhole && log.heldBytes > AHEAD_LEFT_BYTES)
    await index.flush().then(
      () => log.clear(),
      () => {},
    );
  await segments.close();
  await witness.close();
  await log.close();
}

/** A store from before there was a write-ahead log: its commit records are checked one last time, and give way to a mark. */
async function fromOlder(index: LevelIndex, hash: Hash, witness: CommitMark | undefined): Promise<AppliedMark> {
  const { mark, segments, tips } = await readCommits(hash, index.commits(), witness);
  const applied = { ...mark, segments };
  if (mark.number === 0) return applied;
  await checkTips(index, tips);
  // What LevelDB's own log holds has no other witness any more.
  await index.flush();
  await index.dropCommits(markWrite(mark, segments));
  return applied;
}

/** Journals must end where the newest commits that name them left them. */
async function checkTips(index: LevelIndex, recorded: ReadonlyMap<string, Tip>): Promise<void> {
  const all = [...recorded];
  for (let at = 0; at < all.length; at += TIPS_PAGE) {
    const page = all.slice(at, at + TIPS_PAGE);
    const found = await index.tips(page.map(([actor]) => actor));
    for (const [place, [actor, expected]] of page.entries()) {
      const tip = found[place];
      if (tip === undefined) throw corrupt(`the journal of ${actor} is missing`, { actor });
      if (expected.seq !== tip.seq || !expected.cid.equals(tip.cid)) {
        throw corrupt(`the journal of ${actor} does not end where its last commit left it`, {
          actor,
          expected: expected.seq,
          found: tip.seq,
        });
      }
    }
  }
}

/** What was acknowledged last must be there. */
function checkWitness(records: readonly AheadRecord[], mark: CommitMark, witness: CommitMark | undefined): void {
  if (witness === undefined) return;
  if (witness.number > mark.number) throw damagedCommit(mark.number + 1, "it was acknowledged and is missing");
  const same =
    witness.number === mark.number ? mark : records.find((each) => each.mark.number === witness.number)?.mark;
  if (same !== undefined && !equalBytes(same.hash, witness.hash))
    throw damagedCommit(witness.number, "its record is altered");
}

/** Brings every commit of the log into LevelDB, in order: a crash may have taken any of them from it, or none. */
async function replay(index: LevelIndex, records: readonly AheadRecord[]): Promise<void> {
  for (let at = 0; at < records.length; at += REPLAY_PAGE)
    await index.write(writesOf(records.slice(at, at + REPLAY_PAGE)), false);
}
