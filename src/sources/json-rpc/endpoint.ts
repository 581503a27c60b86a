import type { Buffer } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";
import { IpdmError } from "../../core/errors.ts";
import {
  ATTEMPTS_MAX,
  BACKOFF_MAX_MS,
  BACKOFF_MS,
  BATCH_CALLS_MAX,
  REQUEST_TIMEOUT_MS,
  REQUESTS_MAX,
} from "./limits.ts";
import { post, shownUrl } from "./post.ts";
import { type Answer, answersOf } from "./reply.ts";

/** A call of a method. */
export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** How an endpoint is treated; each has a default. */
export interface EndpointOptions {
  readonly batchCalls?: number;
  readonly requestsMax?: number;
  readonly attempts?: number;
  readonly timeoutMs?: number;
  readonly backoffMs?: number;
  /** Where waiting is spread by chance: a number from 0 to 1. */
  readonly random?: () => number;
}

/** Codes of JSON-RPC errors that pass: too many requests, an internal error, a node that is still catching up. */
const PASSING: ReadonlySet<number> = new Set([-32_005, -32_603, -32_016, -32_007, -32_004, 429]);
/** The method is not there. */
const METHOD_MISSING = -32_601;

/** A JSON-RPC endpoint over HTTP: calls are sent in batches, few requests at once, and again with growing pauses when that can help. */
export class Endpoint {
  readonly url: string;
  /** The address as messages may show it. */
  readonly name: string;
  private readonly options: Required<EndpointOptions>;
  private batchCalls: number;
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(url: string, options: EndpointOptions = {}) {
    this.url = url;
    this.name = shownUrl(url);
    this.options = {
      batchCalls: BATCH_CALLS_MAX,
      requestsMax: REQUESTS_MAX,
      attempts: ATTEMPTS_MAX,
      timeoutMs: REQUEST_TIMEOUT_MS,
      backoffMs: BACKOFF_MS,
      random: Math.random,
      ...options,
    };
    this.batchCalls = this.options.batchCalls;
  }

  /**
   * The results of calls, in their order, as JSON texts. Throws `ENDPOINT_UNREACHABLE` (kind `unreachable`) when attempts are used up,
   * `ENDPOINT_REFUSED` when it answers a call with an error that stays (`facts.rpcCode`), `METHOD_MISSING` for a method that it does
   * not have, and the signal's reason.
   */
  async call(calls: readonly RpcCall[], signal: AbortSignal): Promise<readonly Buffer[]> {
    const answers: Buffer[] = [];
    const size = this.batchCalls;
    const groups: (readonly RpcCall[])[] = [];
    for (let at = 0; at < calls.length; at += size) groups.push(calls.slice(at, at + size));
    for (const group of await Promise.all(groups.map((each) => this.group(each, signal)))) answers.push(...group);
    return answers;
  }

  private async group(calls: readonly RpcCall[], signal: AbortSignal): Promise<readonly Buffer[]> {
    let why = "";
    for (let attempt = 1; attempt <= this.options.attempts; attempt++) {
      const tried = await this.inTurn(signal, () => this.attempt(calls, signal));
      if ("results" in tried) return tried.results;
      if (tried.split && calls.length > 1) return this.halves(calls, signal);
      ({ why } = tried);
      if (!tried.isPassing) throw unreachable(this.name, why, attempt);
      if (attempt < this.options.attempts) await this.pause(attempt, tried.waitMs, signal);
    }
    throw unreachable(this.name, why, this.options.attempts);
  }

  /** What it refuses together it may take in parts. */
  private async halves(calls: readonly RpcCall[], signal: AbortSignal): Promise<readonly Buffer[]> {
    const half = Math.ceil(calls.length / 2);
    this.batchCalls = Math.min(this.batchCalls, half);
    const first = await this.call(calls.slice(0, half), signal);
    return [...first, ...(await this.call(calls.slice(half), signal))];
  }

  private async attempt(calls: readonly RpcCall[], signal: AbortSignal): Promise<Attempt> {
    const { timeoutMs } = this.options;
    const posted = await post(this.url, bodyOf(calls), { timeoutMs, signal });
    if (posted.kind === "failed") return { ...posted, split: posted.isTooLarge };
    const answers = answersOf(posted.bytes, calls.length);
    if (typeof answers === "string") return { why: answers, isPassing: true, waitMs: 0, split: false };
    return this.resultsOf(calls, answers);
  }

  private resultsOf(calls: readonly RpcCall[], answers: readonly Answer[]): Attempt {
    const [first] = answers;
    const isWhole = answers.every((answer) => answer === first);
    const results: Buffer[] = [];
    for (const [i, answer] of answers.entries()) {
      if (answer.kind === "result") {
        results.push(answer.json);
        continue;
      }
      const { code, message } = answer;
      const method = calls[i]?.method ?? "?";
      // An endpoint that takes no batches, or smaller ones, answers all calls with one error.
      if (isWhole && calls.length > 1) return { why: message, isPassing: true, waitMs: 0, split: true };
      if (code === METHOD_MISSING) throw methodMissing(this.name, method);
      if (!PASSING.has(code)) throw refused(this.name, method, code, message);
      return { why: `it answered ${method} with error ${code}: ${message}`, isPassing: true, waitMs: 0, split: false };
    }
    return { results };
  }

  /** The pause doubles with each attempt, and is spread so that many clients do not come back at once. */
  private async pause(attempt: number, waitMs: number, signal: AbortSignal): Promise<void> {
    const { backoffMs, random } = this.options;
    const most = Math.min(BACKOFF_MAX_MS, backoffMs * 2 ** (attempt - 1));
    await delay(Math.max(waitMs, most * (0.5 + random() / 2)), undefined, { signal }).catch(() =>
      signal.throwIfAborted(),
    );
  }

  private async inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    while (this.running >= this.options.requestsMax) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
      signal.throwIfAborted();
    }
    this.running++;
    try {
      return await work();
    } finally {
      this.running--;
      this.waiting.shift()?.();
    }
  }
}

type Attempt =
  | { readonly results: readonly Buffer[] }
  | { readonly why: string; readonly isPassing: boolean; readonly waitMs: number; readonly split: boolean };

function bodyOf(calls: readonly RpcCall[]): string {
  const requests = calls.map(({ method, params }, id) => ({ jsonrpc: "2.0", id, method, params }));
  return JSON.stringify(requests.length === 1 ? requests[0] : requests);
}

function unreachable(name: string, why: string, attempts: number): IpdmError {
  const tries = attempts === 1 ? "" : ` (${attempts} attempts)`;
  return new IpdmError("ENDPOINT_UNREACHABLE", `${name} gives no answer: ${why}${tries}`, {
    kind: "unreachable",
    where: name,
    retry: "later",
    hint: "check the address, or run again later: what was fetched is kept",
    facts: { endpoint: name, attempts },
  });
}

function refused(name: string, method: string, rpcCode: number, message: string): IpdmError {
  return new IpdmError("ENDPOINT_REFUSED", `${name} refuses ${method} with error ${rpcCode}: ${message}`, {
    kind: "unreachable",
    where: name,
    hint: "use an endpoint that serves these blocks",
    facts: { endpoint: name, method, rpcCode },
  });
}

function methodMissing(name: string, method: string): IpdmError {
  return new IpdmError("METHOD_MISSING", `${name} does not have the method ${method}`, {
    kind: "unreachable",
    where: name,
    hint: "use another endpoint",
    facts: { endpoint: name, method },
  });
}
