import type { Batch } from "../../batch/batch.ts";
import type { TextFormat } from "../../batch/text/spelling.ts";
import { descriptorTime, SEED_BYTES } from "../descriptor.ts";
import { RandomStream } from "../host/random.ts";
import { WASI_FUNCTIONS, WASI_MODULE, WASI_NAMES, type WasiName } from "../host/wasi-table.ts";
import { Stop } from "../stop.ts";
import type { AbiHost, AbiWork } from "./port.ts";
import { IOVEC_BYTES, IOVECS_MAX, WasiMemory } from "./wasi-memory.ts";
import { BatchText, ErrorText, OutputText, TEXT_CHUNK_BYTES } from "./wasi-streams.ts";

/** Numbers of errors (wasi_snapshot_preview1, `errno`). */
const ERRNO = { success: 0, badf: 8, inval: 28, nosys: 52, spipe: 70 } as const;
const [STDIN, STDOUT, STDERR] = [0, 1, 2];
/** Rights `fd_read` and `fd_write`, each with `fd_filestat_get` and `poll_fd_readwrite` (preview1, `rights`). */
const RIGHTS_BESIDE = (1n << 21n) | (1n << 27n);
const RIGHTS_READ = (1n << 1n) | RIGHTS_BESIDE;
const RIGHTS_WRITE = (1n << 6n) | RIGHTS_BESIDE;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
/** The one argument of every program. */
const ARGUMENT = new TextEncoder().encode("module\0");
/** Resolution that the clock reports: event times are microseconds. */
const CLOCK_RESOLUTION_NS = 1000n;
const U64_MAX = 2n ** 64n - 1n;

/** Ends a program that asks for its end. */
export class ProgramExit extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

type Arguments = readonly (number | bigint)[];
type Answer = (...args: never[]) => number;

/** What one call's program can reach: its three streams, a clock that stands still, a seeded stream of random bytes. */
export class WasiFunctions {
  readonly output: OutputText;
  readonly errors: ErrorText;
  private readonly host: AbiHost;
  private readonly memory: WasiMemory;
  private readonly input: BatchText;
  private readonly random: RandomStream;
  private readonly descriptor: DataView;
  private readonly open = [true, true, true];

  /** `input` is what standard input gives, in the format `stdin`. */
  constructor(host: AbiHost, work: AbiWork, input: Batch, stdin: TextFormat) {
    const descriptor = new DataView(work.descriptor);
    this.host = host;
    this.memory = new WasiMemory(host);
    this.input = new BatchText(input, stdin);
    this.output = new OutputText(work.outputBytesMax);
    this.errors = new ErrorText(host.allows("log") ? (line) => host.log(line) : undefined);
    this.random = new RandomStream(new Uint8Array(work.descriptor, 32, SEED_BYTES), descriptor.getBigUint64(8, true));
    this.descriptor = descriptor;
  }

  /** Every function of preview1. What is not answered here is not there: `EBADF` for a file that is not open, else `ENOSYS`. */
  imports(): Record<string, Record<string, unknown>> {
    const answers = this.answers();
    const functions = WASI_NAMES.map((name) => [name, answers[name] ?? this.absent(name)] as const);
    return { [WASI_MODULE]: Object.fromEntries(functions) };
  }

  private answers(): Partial<Record<WasiName, Answer>> {
    return {
      args_get: (list: number, text: number) => {
        this.pay("args_get");
        this.memory.u32(list, text);
        this.memory.range(text, ARGUMENT.length).set(ARGUMENT);
        return ERRNO.success;
      },
      args_sizes_get: (count: number, bytes: number) => this.sizes("args_sizes_get", count, bytes, 1, ARGUMENT.length),
      environ_get: () => this.plain("environ_get"),
      environ_sizes_get: (count: number, bytes: number) => this.sizes("environ_sizes_get", count, bytes, 0, 0),
      clock_res_get: (clock: number, target: number) =>
        this.clock("clock_res_get", clock, target, () => CLOCK_RESOLUTION_NS),
      clock_time_get: (clock: number, _precision: bigint, target: number) =>
        this.clock("clock_time_get", clock, target, () => this.nowNs()),
      fd_close: (fd: number) => this.onOpen("fd_close", fd, () => (this.open[fd] = false)),
      fd_fdstat_get: (fd: number, target: number) => this.onOpen("fd_fdstat_get", fd, () => this.fdstat(fd, target)),
      fd_filestat_get: (fd: number, target: number) => this.onOpen("fd_filestat_get", fd, () => this.filestat(target)),
      fd_read: (fd: number, iovecs: number, count: number, target: number) => this.read(fd, iovecs, count, target),
      fd_seek: (fd: number) => this.seek("fd_seek", fd),
      fd_tell: (fd: number) => this.seek("fd_tell", fd),
      fd_write: (fd: number, iovecs: number, count: number, target: number) => this.write(fd, iovecs, count, target),
      poll_oneoff: (subscriptions: number, events: number, count: number, target: number) =>
        this.poll(subscriptions, events, count, target),
      proc_exit: (code: number) => {
        this.pay("proc_exit");
        throw new ProgramExit(code >>> 0);
      },
      random_get: (address: number, bytes: number) => {
        this.pay("random_get", bytes >>> 0);
        if (!this.host.allows("random"))
          throw new Stop("denied", "it called random_get, which needs the capability random");
        this.random.fill(this.memory.range(address, bytes));
        return ERRNO.success;
      },
      sched_yield: () => this.plain("sched_yield"),
    };
  }

  private pay(name: WasiName, bytes = 0): void {
    const price = WASI_FUNCTIONS[`${WASI_MODULE}.${name}`];
    if (price !== undefined) this.host.charge(price.fuel + price.fuelPerByte * bytes);
  }

  private plain(name: WasiName): number {
    this.pay(name);
    return ERRNO.success;
  }

  /** A function that is not there; those of files say so of a file that is not there first. */
  private absent(name: WasiName): (...args: Arguments) => number {
    const isOfFile = /^(fd|path|sock)_/.test(name);
    const place = name === "path_symlink" ? 2 : 0;
    return (...args) => {
      this.pay(name);
      return isOfFile && !this.isOpen(Number(args[place])) ? ERRNO.badf : ERRNO.nosys;
    };
  }

  private isOpen(fd: number): boolean {
    return this.open[fd >>> 0] === true;
  }

  private onOpen(name: WasiName, fd: number, work: () => void): number {
    this.pay(name);
    if (!this.isOpen(fd)) return ERRNO.badf;
    work();
    return ERRNO.success;
  }

  private sizes(name: WasiName, count: number, bytes: number, entries: number, length: number): number {
    this.pay(name);
    this.memory.u32(count, entries);
    this.memory.u32(bytes, length);
    return ERRNO.success;
  }

  /** Clocks 0 (real time) and 1 (monotonic) stand at one time; those of processor time, 2 and 3, are not there. */
  private clock(name: WasiName, clock: number, target: number, value: () => bigint): number {
    this.pay(name);
    if (clock !== 0 && clock !== 1) return ERRNO.inval;
    this.memory.u64(target, value());
    return ERRNO.success;
  }

  /** The time at which clocks stand: the call's, for a program that may have it, else 0. */
  private nowNs(): bigint {
    return this.host.allows("time") ? clockOf(descriptorTime(this.descriptor, "clock_time_get")) : 0n;
  }

  /** `fdstat`: a file of unknown type, so that libraries collect what they write, with the rights that it has. */
  private fdstat(fd: number, target: number): void {
    const view = this.memory.view(target, 24);
    view.setBigUint64(0, 0n, true);
    view.setBigUint64(8, fd === STDIN ? RIGHTS_READ : RIGHTS_WRITE, true);
    view.setBigUint64(16, 0n, true);
  }

  /** `filestat`: nothing but one link. */
  private filestat(target: number): void {
    const bytes = this.memory.range(target, 64);
    bytes.fill(0);
    bytes[24] = 1;
  }

  private seek(name: WasiName, fd: number): number {
    this.pay(name);
    return this.isOpen(fd) ? ERRNO.spipe : ERRNO.badf;
  }

  private read(fd: number, iovecs: number, count: number, target: number): number {
    this.pay("fd_read", IOVEC_BYTES * Math.min(count >>> 0, IOVECS_MAX));
    if (fd !== STDIN || !this.isOpen(fd)) return ERRNO.badf;
    if (count >>> 0 > IOVECS_MAX) return ERRNO.inval;
    let total = 0;
    for (const buffer of this.memory.buffers(iovecs, count)) {
      const bytes = this.readInto(buffer);
      total += bytes;
      if (bytes < buffer.length) break;
    }
    this.memory.u32(target, total);
    return ERRNO.success;
  }

  /** Fills a buffer as far as there is input; what was written is paid for before more is. */
  private readInto(buffer: Uint8Array): number {
    let at = 0;
    while (at < buffer.length) {
      const part = buffer.subarray(at, at + TEXT_CHUNK_BYTES);
      const bytes = this.input.read(part);
      this.payBytes("fd_read", bytes);
      at += bytes;
      if (bytes < part.length) break;
    }
    return at;
  }

  private write(fd: number, iovecs: number, count: number, target: number): number {
    this.pay("fd_write", IOVEC_BYTES * Math.min(count >>> 0, IOVECS_MAX));
    if ((fd !== STDOUT && fd !== STDERR) || !this.isOpen(fd)) return ERRNO.badf;
    if (count >>> 0 > IOVECS_MAX) return ERRNO.inval;
    const stream = fd === STDOUT ? this.output : this.errors;
    let total = 0;
    for (const buffer of this.memory.buffers(iovecs, count)) {
      this.payBytes("fd_write", buffer.length);
      stream.append(buffer);
      total += buffer.length;
    }
    this.memory.u32(target, total);
    return ERRNO.success;
  }

  private payBytes(name: WasiName, bytes: number): void {
    this.host.charge((WASI_FUNCTIONS[`${WASI_MODULE}.${name}`]?.fuelPerByte ?? 0) * bytes);
  }

  /** Everything has happened already: the clock stands still, and the streams never make wait. */
  private poll(subscriptions: number, events: number, count: number, target: number): number {
    const entries = count >>> 0;
    this.pay("poll_oneoff", SUBSCRIPTION_BYTES * entries);
    if (entries === 0) return ERRNO.inval;
    // Lengths beyond 32 bits would wrap round in `view`; the memory is smaller than either.
    const most = Math.floor(this.host.memory.buffer.byteLength / SUBSCRIPTION_BYTES);
    if (entries > most) throw new Stop("trap", `poll_oneoff was given ${entries} subscriptions, outside the memory`);
    const from = this.memory.view(subscriptions, SUBSCRIPTION_BYTES * entries);
    const to = this.memory.view(events, EVENT_BYTES * entries);
    for (let i = 0; i < entries; i++) {
      const at = SUBSCRIPTION_BYTES * i;
      const user = from.getBigUint64(at, true);
      const type = from.getUint8(at + 8);
      const isGood = type === 0 || (type <= 2 && this.isOpen(from.getUint32(at + 16, true)));
      const event = EVENT_BYTES * i;
      for (let word = 8; word < EVENT_BYTES; word += 8) to.setBigUint64(event + word, 0n, true);
      to.setBigUint64(event, user, true);
      to.setUint16(event + 8, isGood ? ERRNO.success : ERRNO.badf, true);
      to.setUint8(event + 10, type);
    }
    this.memory.u32(target, entries);
    return ERRNO.success;
  }
}

/** Nanoseconds of an event time, which WASI counts from 1970 without a sign. */
function clockOf(micros: bigint): bigint {
  const nanos = micros * 1000n;
  if (nanos < 0n) return 0n;
  return nanos > U64_MAX ? U64_MAX : nanos;
}
