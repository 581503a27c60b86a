import type { AbiHost } from "../abi/port.ts";
import { FUEL_MAX } from "../metering/meter.ts";
import { Stop } from "../stop.ts";
import type { HostFunction } from "./table.ts";

/** Fuel that a module may owe before it is taken: far less than a call has, far more than most host functions cost. */
const CREDIT_FUEL = 2000;

/**
 * Fuel that a module owes for host functions. It is taken in sums, since taking it is dearer than most of what it pays for.
 * When sums are taken follows from the module's calls alone, so that a module without fuel stops at the same call everywhere.
 */
export class Tab {
  private readonly host: AbiHost;
  private owed = 0;

  constructor(host: AbiHost) {
    this.host = host;
  }

  /** Notes a call of a function that reads or writes so many bytes. Throws a {@link Stop} when there is no fuel for what is owed. */
  note(price: HostFunction, bytes = 0): void {
    this.owed += price.fuel + Math.ceil(price.fuelPerByte * bytes);
    if (this.owed >= CREDIT_FUEL) this.settle();
  }

  /** Takes what is owed. To be called before a result counts. */
  settle(): void {
    const { owed } = this;
    this.owed = 0;
    // More than that would wrap the meter round.
    if (owed > FUEL_MAX) throw new Stop("fuel", "a host function was asked to do more than fuel can pay for");
    this.host.charge(owed);
  }
}
