import { IpdmError } from "../../core/errors.ts";
import { Endpoint, type EndpointOptions } from "../json-rpc/endpoint.ts";
import type { BlockHead, ChainKind, EndpointMode } from "./kind.ts";
import { type ChainRpc, chainRpc, type FetchedBlock } from "./rpc.ts";

/** How long endpoints that are raced may take to say which chain they are of, in milliseconds. */
const JOIN_MS = 5000;

/** One or several endpoints of one chain, asked as one. */
export class Endpoints {
  readonly mode: EndpointMode;
  private readonly rpc: ChainRpc;
  private readonly joinMs: number;
  private all: readonly Endpoint[];

  constructor(
    kind: ChainKind,
    urls: readonly string[],
    mode: EndpointMode,
    { joinMs = JOIN_MS, ...options }: EndpointOptions & { readonly joinMs?: number } = {},
  ) {
    this.rpc = chainRpc(kind);
    this.all = urls.map((url) => new Endpoint(url, options));
    this.mode = mode;
    this.joinMs = joinMs;
  }

  /** How many there are. */
  get count(): number {
    return this.all.length;
  }

  /**
   * The chain's name. Throws `ENDPOINTS_DISAGREE` when they are of different chains, however they are used. Where they are raced,
   * those that do not answer at the beginning take no part.
   */
  async chain(signal: AbortSignal): Promise<string> {
    const bound = this.mode === "race" ? AbortSignal.any([signal, AbortSignal.timeout(this.joinMs)]) : signal;
    const settled = await Promise.allSettled(this.all.map((endpoint) => this.rpc.chain(endpoint, bound)));
    signal.throwIfAborted();
    const named: Said<string>[] = [];
    const there: Endpoint[] = [];
    for (const [i, each] of settled.entries()) {
      const endpoint = this.all[i] as Endpoint;
      if (each.status === "rejected" && this.mode === "compare") throw each.reason;
      if (each.status === "rejected") continue;
      named.push({ endpoint: endpoint.name, value: each.value });
      there.push(endpoint);
    }
    const [first] = named;
    if (first === undefined) throw (settled[0] as PromiseRejectedResult).reason;
    this.all = there;
    const other = named.find(({ value }) => value !== first.value);
    if (other === undefined) return first.value;
    throw disagree(`${first.endpoint} is of chain ${first.value}, ${other.endpoint} of chain ${other.value}`, named);
  }

  /** The newest block: where they are compared, the newest that all of them have. */
  async tip(signal: AbortSignal): Promise<BlockHead> {
    if (this.mode === "race") return this.first((endpoint, bound) => this.rpc.tip(endpoint, bound), signal);
    const tips = await Promise.all(this.all.map((endpoint) => this.rpc.tip(endpoint, signal)));
    return tips.reduce((lowest, tip) => (tip.number < lowest.number ? tip : lowest));
  }

  numbers(from: number, to: number, signal: AbortSignal): Promise<readonly number[]> {
    return this.first((endpoint, bound) => this.rpc.numbers(endpoint, from, to, bound), signal);
  }

  /** Heads of blocks. Where they are compared, throws `ENDPOINTS_DISAGREE`, which says who says what. */
  async heads(numbers: readonly number[], signal: AbortSignal): Promise<readonly (BlockHead | undefined)[]> {
    if (this.mode === "race") return this.first((endpoint, bound) => this.rpc.heads(endpoint, numbers, bound), signal);
    const said = await Promise.all(
      this.all.map(async (endpoint) => ({
        endpoint: endpoint.name,
        value: await this.rpc.heads(endpoint, numbers, signal),
      })),
    );
    return this.agreed(numbers, said);
  }

  /**
   * Whole blocks. Where they are compared, each comes from one endpoint, in turn, and the others are asked for its hash. Throws as
   * {@link heads}.
   */
  async blocks(numbers: readonly number[], signal: AbortSignal): Promise<readonly (FetchedBlock | undefined)[]> {
    if (this.mode === "race" || this.all.length === 1)
      return this.first((endpoint, bound) => this.rpc.blocks(endpoint, numbers, bound), signal);
    const giver = Math.floor((numbers[0] ?? 0) / Math.max(1, numbers.length)) % this.all.length;
    let blocks: readonly (FetchedBlock | undefined)[] = [];
    const said = await Promise.all(
      this.all.map(async (endpoint, i) => {
        if (i !== giver) return { endpoint: endpoint.name, value: await this.rpc.heads(endpoint, numbers, signal) };
        blocks = await this.rpc.blocks(endpoint, numbers, signal);
        return { endpoint: endpoint.name, value: blocks.map((block) => block?.head) };
      }),
    );
    const heads = this.agreed(numbers, said);
    return blocks.map((block, i) => (heads[i] === undefined ? undefined : block));
  }

  private agreed(
    numbers: readonly number[],
    said: readonly Said<readonly (BlockHead | undefined)[]>[],
  ): readonly (BlockHead | undefined)[] {
    return numbers.map((number, i) => {
      const heads = said.map(({ endpoint, value }) => ({ endpoint, value: value[i] }));
      // One that does not have a block yet, or gave its parts from two, says nothing about it.
      if (heads.some(({ value }) => value === undefined)) return undefined;
      const [first] = heads;
      const other = heads.find(({ value }) => !isSame(value, first?.value));
      if (first === undefined || other === undefined) return first?.value;
      const hashes = heads.map(({ endpoint, value }) => ({ endpoint, value: value?.hash ?? "none" }));
      const words =
        other.value?.hash === first.value?.hash
          ? `${first.endpoint} and ${other.endpoint} give it other transactions`
          : hashes.map(({ endpoint, value }) => `${endpoint} says ${value}`).join(", ");
      throw disagree(`block ${number}: ${words}`, hashes, number);
    });
  }

  /** The first answer, and a whole one rather than one with gaps; the other requests are given up. Fails when all do. */
  private async first<T>(
    ask: (endpoint: Endpoint, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const [only] = this.all;
    if (only !== undefined && this.all.length === 1) return ask(only, signal);
    const done = new AbortController();
    const bound = AbortSignal.any([signal, done.signal]);
    const partial: T[] = [];
    const asked = this.all.map(async (endpoint) => {
      const answer = await ask(endpoint, bound);
      if (!Array.isArray(answer) || !answer.includes(undefined)) return answer;
      partial.push(answer);
      throw new Error("the answer has gaps");
    });
    try {
      return await Promise.any(asked);
    } catch (error) {
      signal.throwIfAborted();
      const [gappy] = partial;
      if (gappy !== undefined) return gappy;
      throw error instanceof AggregateError ? (error.errors as unknown[])[0] : error;
    } finally {
      done.abort(new DOMException("another endpoint was faster", "AbortError"));
    }
  }
}

function isSame(one: BlockHead | undefined, other: BlockHead | undefined): boolean {
  return one?.hash === other?.hash && one?.content === other?.content;
}

interface Said<T> {
  readonly endpoint: string;
  readonly value: T;
}

function disagree(message: string, said: readonly Said<unknown>[], block?: number): IpdmError {
  return new IpdmError("ENDPOINTS_DISAGREE", `the endpoints do not agree: ${message}`, {
    kind: "verification",
    ...(block === undefined ? {} : { where: `block ${block}` }),
    hint: "find out which one is right, for example with a third; or the chain was reorganised: run again",
    facts: { ...(block === undefined ? {} : { block }), said },
  });
}
