import { Buffer } from "node:buffer";
import { IpdmError } from "../../core/errors.ts";
import { REPLY_BYTES_MAX, RETRY_AFTER_MAX_MS } from "./limits.ts";

/** What came of one request: a reply, or a failure that another attempt may not have. */
export type Posted =
  | { readonly kind: "reply"; readonly bytes: Buffer }
  | {
      readonly kind: "failed";
      /** What happened, as people read it. */
      readonly why: string;
      /** Trying again can help. */
      readonly isPassing: boolean;
      /** How long the endpoint asks to wait, in milliseconds. */
      readonly waitMs: number;
      /** The request may have been too large for it, or a batch where it takes none. */
      readonly isTooLarge: boolean;
    };

/** Statuses by which endpoints refuse batches, or large ones: 400, 405 and 422 mean the request's form, 413 its size. */
const REFUSES_BATCHES: ReadonlySet<number> = new Set([400, 405, 413, 422]);

/** How to post. */
export interface PostOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Posts JSON to an endpoint once. Throws the signal's reason, and `SOURCE_LIMIT` for a reply over 256 MiB. */
export async function post(url: string, body: string, { timeoutMs, signal }: PostOptions): Promise<Posted> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const { address, credentials } = splitUrl(url);
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json", ...credentials },
      body,
      signal: AbortSignal.any([signal, timeout]),
      redirect: "error",
    });
    if (response.ok) return { kind: "reply", bytes: await bodyOf(url, response) };
    await response.body?.cancel();
    const { status } = response;
    return {
      kind: "failed",
      why: `it answered with HTTP status ${status}`,
      isPassing: status === 408 || status === 425 || status === 429 || status >= 500,
      waitMs: retryAfter(response.headers.get("retry-after")),
      isTooLarge: REFUSES_BATCHES.has(status),
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof IpdmError) throw error;
    const why = timeout.aborted ? `it did not answer within ${timeoutMs / 1000} s` : reasonOf(error);
    return { kind: "failed", why, isPassing: true, waitMs: 0, isTooLarge: false };
  }
}

async function bodyOf(url: string, response: Response): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > REPLY_BYTES_MAX) {
      throw new IpdmError("SOURCE_LIMIT", `${shownUrl(url)} replies with more than ${REPLY_BYTES_MAX} bytes`, {
        where: shownUrl(url),
        hint: "this is no endpoint of a chain, or one that cannot be used",
      });
    }
    parts.push(part);
  }
  return Buffer.concat(parts, size);
}

/** The address as messages show it: keys of providers often stand in its path or query. */
export function shownUrl(url: string): string {
  const { protocol, host, pathname, search } = new URL(url);
  return `${protocol}//${host}${pathname.length > 1 || search !== "" ? "/…" : ""}`;
}

/** `fetch` takes no address with a user and a password in it: they go into a header. */
function splitUrl(text: string): { readonly address: string; readonly credentials: Readonly<Record<string, string>> } {
  const url = new URL(text);
  const { username, password } = url;
  if (username === "" && password === "") return { address: text, credentials: {} };
  url.username = "";
  url.password = "";
  const words = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { address: url.href, credentials: { authorization: `Basic ${Buffer.from(words).toString("base64")}` } };
}

function retryAfter(text: string | null): number {
  if (text === null) return 0;
  const ms = /^\s*\d+\s*$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? Math.min(RETRY_AFTER_MAX_MS, Math.max(0, ms)) : 0;
}

/** `fetch` says "fetch failed", and why in the cause of the cause. */
function reasonOf(error: unknown): string {
  let reason = error;
  while (reason instanceof Error && reason.cause instanceof Error) reason = reason.cause;
  const { code, message } = reason as { code?: unknown; message?: unknown };
  return `the connection failed (${typeof code === "string" && code !== "" ? code : String(message ?? reason)})`;
}
