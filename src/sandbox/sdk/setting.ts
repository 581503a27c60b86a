import { Host } from "./host";
import { allocate } from "./memory";

/** A text that the configuration gives the module. */
@unmanaged
export class Setting {
  /** Address of its UTF-8 bytes. */
  at: usize;
  length: usize;
  /** False where the configuration has none of that name. */
  exists: bool;

  /** The setting of that name. */
  static of(name: string): Setting {
    const length = <usize>String.UTF8.byteLength(name);
    const key = allocate(length);
    String.UTF8.encodeUnsafe(changetype<usize>(name), name.length, key);
    return Setting.named(key, length);
  }

  /** The setting of a name that lies in memory. */
  static named(key: usize, length: usize): Setting {
    const self = changetype<Setting>(allocate(offsetof<Setting>()));
    const bytes = Host.setting(key, length, 0, 0);
    if (bytes < 0) return self;
    self.exists = true;
    self.length = <usize>bytes;
    self.at = allocate(self.length);
    Host.setting(key, length, self.at, self.length);
    return self;
  }

  /** True when it is exactly that text of ASCII letters. */
  is(text: string): bool {
    if (!this.exists || this.length != <usize>text.length) return false;
    for (let i = 0; i < text.length; i++) {
      if (load<u8>(this.at + i) != text.charCodeAt(i)) return false;
    }
    return true;
  }
}
