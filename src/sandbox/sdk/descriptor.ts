/** What stands beside a batch: everything a call may know besides its rows. */
@unmanaged
export class Descriptor {
  /** The descriptor at the address that `ipdm_process` was given. */
  @inline
  static at(address: usize): Descriptor {
    return changetype<Descriptor>(address);
  }

  /** Number of the batch's first row, from the start of the module's input. */
  @inline
  get firstRow(): u64 {
    return load<u64>(changetype<usize>(this), 8);
  }

  /** True when the task has an event time. */
  @inline
  get hasTime(): bool {
    return (load<u32>(changetype<usize>(this), 24) & 1) != 0;
  }

  /** Event time of the batch in microseconds since the Unix epoch; 0 without one. */
  @inline
  get timeUs(): i64 {
    return load<i64>(changetype<usize>(this), 16);
  }

  /** Address of the 32 bytes of the seed. */
  @inline
  get seed(): usize {
    return changetype<usize>(this) + 32;
  }
}
