import type { RunProgress } from "../run/options.ts";
import type { StageStatus } from "../run/stages.ts";
import { MetricsServer } from "./metrics/server.ts";
import { exposition } from "./metrics/table.ts";
import { progressLine } from "./progress-line.ts";
import { stageLines } from "./stage-lines.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds between two looks at a run that says nothing: one that stands still has to be seen to. */
const LOOK_MS = 500;

/** Shows how a run goes, on the terminal and, where asked for, as metrics; it ends with the command. */
export class RunWatch implements AsyncDisposable {
  private readonly terminal: Terminal;
  private readonly looking: NodeJS.Timeout;
  private progress: RunProgress | undefined;
  private began = performance.now();
  private stages: () => readonly StageStatus[] = () => [];
  private server: MetricsServer | undefined;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
    this.looking = setInterval(() => this.draw(), LOOK_MS).unref();
  }

  /** Serves metrics on a port of the loopback interface. Throws `METRICS_UNAVAILABLE`. */
  async serve(port: number): Promise<void> {
    this.server = await MetricsServer.open(port, () => exposition({ progress: this.progress, stages: this.stages() }));
    if (this.terminal.options.json) this.terminal.json({ event: "metrics", url: this.server.url });
    else this.terminal.say(`metrics: ${this.server.url}`);
  }

  /** The run came further. */
  update(progress: RunProgress): void {
    const before = this.progress?.phase;
    this.progress = progress;
    if (progress.phase !== before) {
      // Reading digests and making a plan is no part of a rate.
      if (progress.phase === "running") this.began = performance.now();
      if (this.terminal.options.json) this.terminal.json({ event: "phase", phase: progress.phase });
    }
    this.draw();
  }

  /** The nodes run: `stages` tells how theirs stand. */
  watch(stages: () => readonly StageStatus[]): void {
    this.stages = stages;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.looking);
    await this.server?.close();
  }

  private draw(): void {
    const { progress } = this;
    if (progress === undefined || progress.phase === "sealed") return;
    const seconds = (performance.now() - this.began) / 1000;
    this.terminal.progress(
      () => progressLine(progress, seconds),
      () => stageLines(this.stages()),
    );
  }
}
