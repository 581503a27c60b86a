import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { blockHash, type MadeBlock, madeBlock, madeReceipts } from "./blocks.ts";

/** A call as a client sent it. */
export interface ServedCall {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What the server does with a request instead of answering it truly: `undefined` answers truly. */
export type Deed =
  | undefined
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Never answers; cuts the connection before or in the middle of the answer; answers with this text. */
  | "stall"
  | "hang up"
  | "cut"
  | { readonly text: string }
  /** Answers a call with this JSON text, where it gives one. */
  | { readonly answer: (call: ServedCall) => string | undefined };

interface ServedBlock {
  readonly block: string;
  readonly receipts: string;
}

/** A JSON-RPC endpoint of Ethereum on loopback that serves the blocks it is given, and misbehaves as it is told. */
export class RpcServer implements AsyncDisposable {
  readonly blocks = new Map<number, ServedBlock>();
  chainId = "0x539";
  /** What to do with the n-th request (from 0). */
  deed: (calls: readonly ServedCall[], request: number) => Deed = () => undefined;
  readonly calls: ServedCall[] = [];
  /** The header `authorization` of the newest request. */
  authorization: string | undefined;
  requests = 0;
  /** Requests that were under way at once, at most. */
  atOnce = 0;
  private open = 0;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  static async open(): Promise<RpcServer> {
    const made = new RpcServer();
    await new Promise<void>((resolve) => made.server.listen(0, "127.0.0.1", resolve));
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get head(): number {
    return Math.max(...this.blocks.keys());
  }

  /** Serves made-up blocks of a branch from one number to another; blocks behind them are gone. */
  make(from: number, to: number, made: MadeBlock = {}): void {
    for (const number of this.blocks.keys()) if (number > to) this.blocks.delete(number);
    for (let number = from; number <= to; number++) {
      const isFork = number === from && this.blocks.has(number - 1);
      const parent = isFork ? this.hashOf(number - 1) : blockHash(number - 1, made.branch);
      this.blocks.set(number, { block: madeBlock(number, { ...made, parent }), receipts: madeReceipts(number, made) });
    }
  }

  /** The hash of a block that it serves. */
  hashOf(number: number): string {
    return (JSON.parse(this.blocks.get(number)?.block ?? "{}") as { hash: string }).hash;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.open++;
    this.atOnce = Math.max(this.atOnce, this.open);
    response.once("close", () => this.open--);
    this.authorization = request.headers.authorization;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString()) as ServedCall | ServedCall[];
    const calls = Array.isArray(body) ? body : [body];
    this.calls.push(...calls);
    const deed = this.deed(calls, this.requests++);
    if (deed === "stall") return;
    if (deed === "hang up") return void request.socket.destroy();
    if (typeof deed === "object" && "status" in deed)
      return void response.writeHead(deed.status, deed.headers).end("no");
    const answers = calls.map((call) => {
      const told = typeof deed === "object" && "answer" in deed ? deed.answer(call) : undefined;
      return told ?? `{"jsonrpc":"2.0","id":${call.id},"result":${this.resultOf(call)}}`;
    });
    const text = Array.isArray(body) ? `[${answers.join(",")}]` : (answers[0] ?? "");
    response.writeHead(200, { "content-type": "application/json" });
    if (deed === "cut") return void response.write(text.slice(0, text.length >> 1), () => request.socket.destroy());
    response.end(typeof deed === "object" && "text" in deed ? deed.text : text);
  }

  private resultOf({ method, params }: ServedCall): string {
    const [which, whole] = params;
    if (method === "eth_chainId") return JSON.stringify(this.chainId);
    if (method === "eth_getTransactionReceipt") return this.receiptOf(String(which));
    const found = this.blocks.get(which === "latest" ? this.head : Number(which));
    if (method === "eth_getBlockReceipts") return found?.receipts ?? "null";
    if (method !== "eth_getBlockByNumber") return "null";
    if (found === undefined || whole === true) return found?.block ?? "null";
    const block = JSON.parse(found.block) as { transactions: { hash: string }[] };
    return JSON.stringify({ ...block, transactions: block.transactions.map(({ hash }) => hash) });
  }

  private receiptOf(hash: string): string {
    for (const { receipts } of this.blocks.values()) {
      const found = (JSON.parse(receipts) as { transactionHash: string }[]).find(
        (each) => each.transactionHash === hash,
      );
      if (found !== undefined) return JSON.stringify(found);
    }
    return "null";
  }
}
