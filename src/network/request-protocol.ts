import { utf8 } from "../core/bytes.ts";
import { type ErrorKind, EXIT_CODES, IpdmError, type Retry } from "../core/errors.ts";
import { readJson } from "../core/json.ts";
import { abortable, type Deadline } from "./deadline.ts";
import { malformedFrame, tooLarge } from "./errors.ts";
import type { ChannelLimits, FrameChannel } from "./frame-channel.ts";
import { REQUEST_SIZE_MAX_BYTES, RESPONSE_SIZE_MAX_BYTES } from "./limits.ts";
import type { PeerKey, RequestHandler } from "./port.ts";

// One stream a request: a frame with the request, then one with a status byte and the answer or the error.
const STATUS_BYTES = 1;
const OK = 0;
const FAILED = 1;
const MESSAGE_LENGTH_MAX = 2048;

/** Limits of the asking side. */
export const ASKING_LIMITS: ChannelLimits = {
  frameSizeMaxBytes: RESPONSE_SIZE_MAX_BYTES + STATUS_BYTES,
  unreadFramesMax: 1,
};
/** Limits of the answering side. */
export const ANSWERING_LIMITS: ChannelLimits = { frameSizeMaxBytes: REQUEST_SIZE_MAX_BYTES, unreadFramesMax: 1 };

/** Sends a request and reads its answer. The caller ends the channel. */
export async function ask(channel: FrameChannel, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  await abortable(channel.send(request), signal);
  await abortable(channel.closeWrite(), signal);
  const answer = await abortable(channel.receive(), signal);
  if (answer === undefined) throw new Error("it ended the stream without an answer");
  const status = answer[0];
  const body = answer.subarray(STATUS_BYTES);
  if (status === OK) return body;
  if (status === FAILED) throw decodeError(body);
  throw malformedFrame(`its status is ${String(status)}`);
}

/** Reads one request, lets the handler answer, and ends the channel. */
export async function answer(
  channel: FrameChannel,
  from: PeerKey,
  handler: RequestHandler,
  deadline: Deadline,
): Promise<void> {
  const { signal } = deadline;
  const request = await abortable(channel.receive(), signal);
  if (request === undefined) throw new Error("it ended the stream without a request");
  // The handler's time is its own business and the asker's; only a slow request is cut off here.
  deadline.rest();
  let response: Uint8Array;
  try {
    const body = await abortable(handler(from, request, signal), signal);
    if (body.length > RESPONSE_SIZE_MAX_BYTES)
      throw tooLarge("RESPONSE_TOO_LARGE", body.length, RESPONSE_SIZE_MAX_BYTES);
    response = withStatus(OK, body);
  } catch (error) {
    if (signal.aborted) throw error;
    response = withStatus(FAILED, encodeError(error));
  }
  deadline.touch();
  await abortable(channel.send(response), signal);
  await abortable(channel.closeWrite(), signal);
}

function withStatus(status: number, body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(STATUS_BYTES + body.length);
  frame[0] = status;
  frame.set(body, STATUS_BYTES);
  return frame;
}

// Only an IpdmError was written to be read; the message of any other error may hold what is none of the peer's business.
function encodeError(error: unknown): Uint8Array {
  const known = error instanceof IpdmError ? error : new IpdmError("REMOTE_FAILED", "the peer failed to answer");
  const { code, kind, hint, retry } = known;
  return utf8(JSON.stringify({ code, message: known.message.slice(0, MESSAGE_LENGTH_MAX), kind, hint, retry }));
}

function decodeError(body: Uint8Array): IpdmError {
  let value: unknown;
  try {
    value = readJson(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (cause) {
    return new IpdmError("FRAME_MALFORMED", "an error from a peer does not decode", { kind: "verification", cause });
  }
  if (typeof value !== "object" || value === null) return malformedFrame("its error is not a record");
  const { code, message, kind, hint, retry } = value as Record<string, unknown>;
  if (typeof code !== "string" || !/^[A-Z][A-Z0-9_]{0,63}$/.test(code)) return malformedFrame("its error has no code");
  const retries: readonly unknown[] = ["never", "later", "now"];
  return new IpdmError(
    code,
    typeof message === "string" ? message.slice(0, MESSAGE_LENGTH_MAX) : "the peer failed to answer",
    {
      kind: typeof kind === "string" && Object.hasOwn(EXIT_CODES, kind) ? (kind as ErrorKind) : "failed",
      ...(typeof hint === "string" ? { hint: hint.slice(0, MESSAGE_LENGTH_MAX) } : {}),
      retry: retries.includes(retry) ? (retry as Retry) : "never",
      facts: { remote: true },
    },
  );
}
