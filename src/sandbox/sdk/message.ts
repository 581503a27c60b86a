import { Host } from "./host";
import { allocate } from "./memory";

const BYTES_MAX: usize = 1024;

/**
 * What is said of an error that the module found in its rows, put together piece by piece (what exceeds 1024 bytes is left out), then
 * thrown: the run ends with the module's own code and exit code 5.
 */
@unmanaged
export class Message {
  private at: usize;
  private length: usize;

  /** A message that begins with a text. */
  static of(text: string): Message {
    const self = changetype<Message>(allocate(offsetof<Message>()));
    self.at = allocate(BYTES_MAX);
    return self.text(text);
  }

  text(text: string): Message {
    const bytes = <usize>String.UTF8.byteLength(text);
    if (this.length + bytes > BYTES_MAX) return this;
    String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, this.at + this.length);
    this.length += bytes;
    return this;
  }

  /** A number in decimal digits. */
  number(value: u64): Message {
    if (value >= 10) this.number(value / 10);
    return this.byte(<u8>(0x30 + (value % 10)));
  }

  /** Bytes as 0x and hexadecimal digits. */
  hex(bytes: usize, length: usize): Message {
    this.text("0x");
    for (let i: usize = 0; i < length; i++) {
      const value = load<u8>(bytes + i);
      this.byte(digit(value >> 4)).byte(digit(value & 15));
    }
    return this;
  }

  /** All of a text of printable ASCII in memory. */
  digits(text: usize, length: usize): Message {
    for (let i: usize = 0; i < length; i++) this.byte(load<u8>(text + i));
    return this;
  }

  /** A piece of a text in memory, up to 64 bytes of it; what is not printable ASCII becomes `?`. */
  quote(text: usize, length: usize): Message {
    const shown = min(length, 64);
    for (let i: usize = 0; i < shown; i++) {
      const value = load<u8>(text + i);
      this.byte(value >= 0x20 && value < 0x7f ? value : 0x3f);
    }
    return length > shown ? this.text("...") : this;
  }

  /** Writes the message to the node's log, where the module's policy lets it. No result depends on it. */
  log(): void {
    Host.log(this.at, this.length);
  }

  /** Stops the call with a code of capital letters, digits and `_`. It does not return. */
  fail(code: string): void {
    const bytes = <usize>String.UTF8.byteLength(code);
    const name = allocate(bytes);
    String.UTF8.encodeUnsafe(changetype<usize>(code), code.length, name);
    Host.fail(name, bytes, this.at, this.length);
    unreachable();
  }

  private byte(value: u8): Message {
    if (this.length == BYTES_MAX) return this;
    store<u8>(this.at + this.length, value);
    this.length++;
    return this;
  }
}

function digit(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
