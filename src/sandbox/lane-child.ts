import { flushCompileCache } from "node:module";
import type { FromChild, ToChild } from "./lane-messages.ts";
import { LaneThread } from "./lane-thread.ts";
import { copiedOutcome, sharedImage } from "./state/image-copy.ts";

// The process of a lane: it hands everything on to a thread, whose stack is large enough for modules, and says what comes back.
const send = (message: FromChild): void => void process.send?.(message, () => undefined);
const thread = new LaneThread({
  ready: () => {
    send({ type: "ready" });
    // This process is ended, it does not end: what it compiled is kept now.
    flushCompileCache();
  },
  outcome: (outcome) => send({ type: "outcome", outcome: copiedOutcome(outcome) }),
  lost: (message) => {
    send({ type: "lost", message });
    process.disconnect();
    process.exitCode = 1;
  },
});

process.on("message", (message: ToChild) => {
  if (message.type === "module") {
    const { module, bytes, content } = message;
    const code = new WebAssembly.Module(bytes);
    thread.load(module, { content: { ...content, code }, bytes, timeoutMs: 0 });
  } else if (message.type === "open") {
    const { session, module, image } = message;
    thread.openSession(session, module, image === null ? null : sharedImage(image));
  } else if (message.type === "close") thread.closeSession(message.session);
  else if (message.type === "calls") thread.call(message.calls);
  else thread.hasUnread((isUnread) => send({ type: "unread", isUnread }));
});
// Nobody else needs this process.
process.on("disconnect", () => process.exit());
