import { IN_FLIGHT_BATCHES_MAX, IN_FLIGHT_BYTES_MAX } from "./limits.ts";

/** Counts what was sent and not yet taken: at most 64 batches or 16 MiB. */
export class SendWindow {
  private batches = 0;
  private bytes = 0;
  private wake: (() => void) | undefined;

  /** The receiver took a batch of that size. */
  returned(bytes: number): void {
    this.batches--;
    this.bytes -= bytes;
    this.wake?.();
  }

  /** Waits until a batch of that size may be sent; one always may when nothing is in flight. */
  async take(bytes: number): Promise<void> {
    while (this.batches > 0 && (this.batches >= IN_FLIGHT_BATCHES_MAX || this.bytes + bytes > IN_FLIGHT_BYTES_MAX)) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    this.batches++;
    this.bytes += bytes;
  }
}
