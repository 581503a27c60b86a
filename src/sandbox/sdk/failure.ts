import { allocate } from "./memory";

/** Stops the call with a message that ends in a name. Built by hand: joining strings would need a managed heap. */
export function fail(message: string, name: string): void {
  const first = (<usize>message.length) << 1;
  const second = (<usize>name.length) << 1;
  const text = allocate(64 + first + second) + 64;
  store<u32>(text - 4, <u32>(first + second));
  memory.copy(text, changetype<usize>(message), first);
  memory.copy(text + first, changetype<usize>(name), second);
  abort(changetype<string>(text));
}
