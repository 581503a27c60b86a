import { describe, expect, it } from "vitest";
import { utf8 } from "../../../src/core/bytes.ts";
import { rawBlock } from "../../../src/dag/block.ts";
import type { ByteStream } from "../../../src/network/byte-stream.ts";
import { wallTimers } from "../../../src/network/deadline.ts";
import { Exchange } from "../../../src/network/exchange.ts";
import { quietLog, sha256 } from "../../../src/node.ts";

const peer = sha256(utf8("peer"));

/** A stream that takes everything and says nothing, and remembers why it was ended. */
class SilentStream implements ByteStream {
  sent = 0;
  readonly ended: Error[] = [];

  async send(bytes: Uint8Array): Promise<void> {
    this.sent += bytes.length;
  }
  async closeWrite(): Promise<void> {}
  abort(error: Error): void {
    this.ended.push(error);
  }
  listen(): void {}
}

describe("an exchange", () => {
  it("ends the stream of blocks that nobody waits for any more, and says why", async () => {
    const stream = new SilentStream();
    const exchange = new Exchange({ open: async () => stream, timers: wallTimers, hash: sha256, log: quietLog });
    const stop = new AbortController();
    const { cid } = rawBlock(sha256, utf8("wanted"));
    const blocks = exchange.fetchBlocks(peer, [cid], { signal: stop.signal });
    const first = blocks[Symbol.asyncIterator]().next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(stream.sent).toBeGreaterThan(0);
    expect(stream.ended).toEqual([]);
    stop.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect(stream.ended).toMatchObject([{ code: "STREAM_DROPPED" }]);
    exchange.close();
  });
});
