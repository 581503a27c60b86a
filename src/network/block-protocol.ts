import { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, checkBlock } from "../dag/block.ts";
import { BLOCK_SIZE_MAX } from "../dag/limits.ts";
import { abortable, type Deadline } from "./deadline.ts";
import { malformedFrame } from "./errors.ts";
import type { ChannelLimits, FrameChannel } from "./frame-channel.ts";
import {
  BLOCK_FRAME_BYTES,
  BLOCK_WANT_MAX,
  BLOCK_WANT_PENDING_MAX,
  BLOCK_WINDOW_FRAMES,
  CID_SIZE_MAX_BYTES,
  MISSING_NAMED_MAX,
} from "./limits.ts";
import type { BlockProvider } from "./port.ts";

/** Name and version of the bulk protocol. */
export const BLOCKS_PROTOCOL = "/ipdm/blocks/1";

// First byte of a frame. To the sender: WANT {length of CID (1), CID}*, CREDIT {frames (1)}. To the reader, in the order of
// the wants: BLOCK {size (4)} and first bytes, MORE and next bytes, MISSING. Each frame to the reader costs one credit.
const WANT = 1;
const CREDIT = 2;
const BLOCK = 3;
const MORE = 4;
const MISSING = 5;
const BLOCK_HEADER_BYTES = 5;
const CREDIT_BATCH_FRAMES = BLOCK_WINDOW_FRAMES / 4;

/** Limits of the side that asks for blocks. */
export const READING_LIMITS: ChannelLimits = {
  frameSizeMaxBytes: BLOCK_HEADER_BYTES + BLOCK_FRAME_BYTES,
  unreadFramesMax: BLOCK_WINDOW_FRAMES,
};
/** Limits of the side that serves blocks. */
export const SERVING_LIMITS: ChannelLimits = {
  frameSizeMaxBytes: 1 + BLOCK_WANT_MAX * (1 + CID_SIZE_MAX_BYTES),
  unreadFramesMax: BLOCK_WINDOW_FRAMES + 4,
};

/** Asks for blocks and yields them in order, verified. The deadline is touched at every frame. The caller ends the channel. */
export async function* readBlocks(
  channel: FrameChannel,
  cids: readonly CID[],
  hash: Hash,
  deadline: Deadline,
): AsyncGenerator<Block> {
  const { signal } = deadline;
  const missing: CID[] = [];
  let asked = 0;
  let consumed = 0;
  const nextFrame = async (): Promise<Uint8Array> => {
    deadline.touch();
    const frame = await abortable(channel.receive(), signal);
    deadline.rest();
    if (frame === undefined) throw new Error("it ended the stream before the last block");
    consumed += 1;
    if (consumed === CREDIT_BATCH_FRAMES) {
      consumed = 0;
      await abortable(channel.send(Uint8Array.of(CREDIT, CREDIT_BATCH_FRAMES)), signal);
    }
    return frame;
  };
  for (const [index, cid] of cids.entries()) {
    while (asked < cids.length && asked < index + BLOCK_WANT_PENDING_MAX - BLOCK_WANT_MAX + 1) {
      const wanted = cids.slice(asked, asked + BLOCK_WANT_MAX);
      asked += wanted.length;
      await abortable(channel.send(encodeWant(wanted)), signal);
    }
    const bytes = await readBlock(cid, nextFrame);
    // The time that whoever reads takes over a block is its own, so the clock rests until the next frame is wanted.
    if (bytes === undefined) missing.push(cid);
    else yield checked({ cid, bytes }, hash);
  }
  await abortable(channel.closeWrite(), signal);
  if (missing.length > 0) throw blocksUnavailable(missing);
}

/** Serves wants until the reader ends the stream. */
export async function writeBlocks(channel: FrameChannel, get: BlockProvider, deadline: Deadline): Promise<void> {
  const wanted: CID[] = [];
  let credits = BLOCK_WINDOW_FRAMES;
  let ended = false;
  const takeFrame = async (): Promise<void> => {
    deadline.touch();
    const frame = await abortable(channel.receive(), deadline.signal);
    if (frame === undefined) {
      ended = true;
    } else if (frame[0] === WANT) {
      wanted.push(...decodeWant(frame));
      if (wanted.length > BLOCK_WANT_PENDING_MAX)
        throw malformedFrame(`more than ${BLOCK_WANT_PENDING_MAX} blocks are wanted at once`);
    } else if (frame[0] === CREDIT && frame.length === 2) {
      credits += frame[1] as number;
      if (credits > BLOCK_WINDOW_FRAMES) throw malformedFrame("it gives more credit than the window has");
    } else {
      throw malformedFrame("it is neither a want nor a credit");
    }
  };
  const sendFrame = async (frame: Uint8Array): Promise<void> => {
    while (credits === 0 && !ended) await takeFrame();
    if (credits === 0) throw malformedFrame("the reader ended the stream before its last block");
    credits -= 1;
    deadline.touch();
    await abortable(channel.send(frame), deadline.signal);
  };
  for (;;) {
    const cid = wanted.shift();
    if (cid !== undefined) {
      deadline.rest();
      const bytes = await abortable(get(cid), deadline.signal);
      for (const frame of blockFrames(bytes)) await sendFrame(frame);
    } else if (ended) {
      break;
    } else {
      await takeFrame();
    }
  }
  await abortable(channel.closeWrite(), deadline.signal);
}

function* blockFrames(bytes: Uint8Array | undefined): Generator<Uint8Array> {
  if (bytes === undefined || bytes.length > BLOCK_SIZE_MAX) {
    yield Uint8Array.of(MISSING);
    return;
  }
  const first = bytes.subarray(0, BLOCK_FRAME_BYTES);
  const head = new Uint8Array(BLOCK_HEADER_BYTES + first.length);
  head[0] = BLOCK;
  new DataView(head.buffer).setUint32(1, bytes.length);
  head.set(first, BLOCK_HEADER_BYTES);
  yield head;
  for (let at = first.length; at < bytes.length; at += BLOCK_FRAME_BYTES) {
    const part = bytes.subarray(at, at + BLOCK_FRAME_BYTES);
    const frame = new Uint8Array(1 + part.length);
    frame[0] = MORE;
    frame.set(part, 1);
    yield frame;
  }
}

async function readBlock(cid: CID, nextFrame: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  const head = await nextFrame();
  if (head[0] === MISSING && head.length === 1) return undefined;
  if (head[0] !== BLOCK || head.length < BLOCK_HEADER_BYTES) throw malformedFrame("it does not begin a block");
  const size = new DataView(head.buffer, head.byteOffset).getUint32(1);
  const first = head.subarray(BLOCK_HEADER_BYTES);
  if (size > BLOCK_SIZE_MAX || first.length !== Math.min(size, BLOCK_FRAME_BYTES)) {
    throw malformedFrame(`it announces ${size} bytes for ${cid.toString()} and carries ${first.length}`);
  }
  if (first.length === size) return first;
  const bytes = new Uint8Array(size);
  bytes.set(first);
  for (let at = first.length; at < size; ) {
    const frame = await nextFrame();
    // Every frame but the last is full, so that a block costs the frames its size says and no more.
    if (frame[0] !== MORE || frame.length - 1 !== Math.min(size - at, BLOCK_FRAME_BYTES))
      throw malformedFrame("it does not continue its block");
    bytes.set(frame.subarray(1), at);
    at += frame.length - 1;
  }
  return bytes;
}

function checked(block: Block, hash: Hash): Block {
  try {
    checkBlock(hash, block);
  } catch (cause) {
    throw new IpdmError("BLOCK_MISMATCH", `the peer sent other bytes for ${block.cid.toString()}`, {
      kind: "verification",
      where: block.cid.toString(),
      hint: "ask another peer",
      cause,
    });
  }
  return block;
}

function encodeWant(cids: readonly CID[]): Uint8Array {
  const parts: number[] = [WANT];
  for (const cid of cids) {
    const { bytes } = cid;
    if (bytes.length > CID_SIZE_MAX_BYTES) {
      throw new IpdmError("DAG_UNSUPPORTED", `a CID of ${bytes.length} bytes is too long`, { where: cid.toString() });
    }
    parts.push(bytes.length, ...bytes);
  }
  return Uint8Array.from(parts);
}

function decodeWant(frame: Uint8Array): CID[] {
  const cids: CID[] = [];
  let at = 1;
  while (at < frame.length) {
    const length = frame[at] as number;
    const bytes = frame.subarray(at + 1, at + 1 + length);
    if (length > CID_SIZE_MAX_BYTES || bytes.length !== length) throw malformedFrame("a CID in it is cut off");
    try {
      cids.push(CID.decode(bytes));
    } catch {
      throw malformedFrame("a CID in it does not decode");
    }
    at += 1 + length;
  }
  if (cids.length === 0 || cids.length > BLOCK_WANT_MAX) throw malformedFrame(`it wants ${cids.length} blocks`);
  return cids;
}

function blocksUnavailable(missing: readonly CID[]): IpdmError {
  const named = missing.slice(0, MISSING_NAMED_MAX).map((cid) => cid.toString());
  return new IpdmError(
    "BLOCK_UNAVAILABLE",
    `the peer does not give ${missing.length} of the blocks asked for, such as ${named[0]}`,
    {
      kind: "unreachable",
      ...(named[0] === undefined ? {} : { where: named[0] }),
      hint: "ask another peer",
      retry: "later",
      facts: { missing: missing.length, cids: named },
    },
  );
}
