import type { Log } from "../core/ports.ts";
import type { GossipMessage } from "./port.ts";

/** Who on this node listens to which topic. */
export class Subscriptions {
  readonly #log: Log;
  readonly #byTopic = new Map<string, Set<(message: GossipMessage) => void>>();

  constructor(log: Log) {
    this.#log = log;
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  /** Adds a listener; the function it returns takes it away and says whether it was the topic's last. */
  add(topic: string, onMessage: (message: GossipMessage) => void): () => boolean {
    const listeners = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, listeners);
    // A listener of its own, so that the same function may subscribe twice.
    const listener = (message: GossipMessage): void => onMessage(message);
    listeners.add(listener);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return false;
      this.#byTopic.delete(topic);
      return true;
    };
  }

  deliver(topic: string, message: GossipMessage): void {
    for (const listener of [...(this.#byTopic.get(topic) ?? [])]) {
      try {
        listener(message);
      } catch (error) {
        this.#log.warn("a gossip listener failed", { topic, error: String(error) });
      }
    }
  }

  clear(): void {
    this.#byTopic.clear();
  }
}
