import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, platform } from "node:process";

const TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/**
 * A contract that logs Transfer(caller, to, value) for the call data (to, value), assembled by hand: value to memory 0; LOG3 of these 32
 * bytes with the topics; stop. Before it the constructor, which copies these 49 bytes and returns them.
 */
const TOKEN = `6031600c60003960316000f360203560005260003533${`7f${TRANSFER}`}60206000a300`;

/** The program of `@foundry-rs/anvil` for this machine; `undefined` where its package is not installed. */
export function anvilProgram(): string | undefined {
  const machine = arch === "x64" ? "amd64" : arch;
  const name = platform === "win32" ? "anvil.exe" : "anvil";
  try {
    const path = createRequire(import.meta.url).resolve(`@foundry-rs/anvil-${platform}-${machine}/package.json`);
    const program = path.replace("package.json", `bin/${name}`);
    return existsSync(program) ? program : undefined;
  } catch {
    return undefined;
  }
}

/** A log of a transfer as the node tells it. */
export interface ToldTransfer {
  readonly block: number;
  readonly timestamp: number;
  readonly logIndex: number;
  readonly to: string;
  readonly value: number;
}

/** A real Ethereum node of one process, whose chain the test moves. */
export class Anvil implements AsyncDisposable {
  readonly url: string;
  private readonly child: ChildProcess;
  private account = "";

  private constructor(child: ChildProcess, url: string) {
    this.child = child;
    this.url = url;
  }

  /** Starts it on a port that is free. */
  static async open(program: string): Promise<Anvil> {
    const child = spawn(program, ["--port", "0", "--no-request-size-limit"], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    const address = await new Promise<string>((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`anvil ended with ${code}: ${text}`)));
      child.stdout?.on("data", (part: Buffer) => {
        text += part.toString();
        const found = /Listening on (127\.0\.0\.1:\d+)/.exec(text);
        if (found?.[1] !== undefined) resolve(found[1]);
      });
    });
    const anvil = new Anvil(child, `http://${address}`);
    [anvil.account = ""] = await anvil.call<string[]>("eth_accounts");
    return anvil;
  }

  async call<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await fetch(this.url, { method: "POST", headers: { "content-type": "application/json" }, body });
    const { result, error } = (await response.json()) as { result: T; error?: unknown };
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  /** Deploys a token, in a block of its own. */
  async deploy(): Promise<string> {
    const transaction = await this.call<string>("eth_sendTransaction", { from: this.account, data: `0x${TOKEN}` });
    return (await this.call<{ contractAddress: string }>("eth_getTransactionReceipt", transaction)).contractAddress;
  }

  /** Moves tokens, in a block of its own. */
  async transfer(token: string, to: number, value: number): Promise<void> {
    const data = `0x${to.toString(16).padStart(64, "0")}${value.toString(16).padStart(64, "0")}`;
    await this.call("eth_sendTransaction", { from: this.account, to: token, data });
  }

  async head(): Promise<number> {
    return Number(await this.call<string>("eth_blockNumber"));
  }

  /** All transfers up to a block, in order. */
  async transfers(to: number | "latest" = "latest"): Promise<ToldTransfer[]> {
    const toBlock = to === "latest" ? to : `0x${to.toString(16)}`;
    const logs = await this.call<ToldLog[]>("eth_getLogs", { fromBlock: "0x1", toBlock });
    return logs.map(({ blockNumber, blockTimestamp, logIndex, topics, data }) => ({
      block: Number(blockNumber),
      timestamp: Number(blockTimestamp),
      logIndex: Number(logIndex),
      to: (topics[2] ?? "").slice(-40),
      value: Number(data),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill();
    await ended;
  }
}

interface ToldLog {
  readonly blockNumber: string;
  readonly blockTimestamp: string;
  readonly logIndex: string;
  readonly topics: readonly string[];
  readonly data: string;
}
