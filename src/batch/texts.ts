const encoder = new TextEncoder();

/** Most bytes that a UTF-16 unit takes in UTF-8. */
export const TEXT_ROOM = 3;

/** Longest text, in UTF-16 units, that is written in place: room for it has to be there first. */
export const TEXT_IN_PLACE_MAX = 1024;

/** Longer texts are encoded by the platform; for short ones of ASCII the call costs more than the loop. */
const LOOPED_MAX = 32;

/** UTF-8 bytes of a text. */
export function textBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Writes a text in UTF-8 where there is {@link TEXT_ROOM} for it; returns how many bytes it took. */
export function putText(text: string, into: Uint8Array, at: number): number {
  if (text.length <= LOOPED_MAX) {
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) break;
      into[at + i] = unit;
    }
    if (i === text.length) return i;
  }
  return encoder.encodeInto(text, into.subarray(at)).written;
}

/** Texts one after the other in UTF-8, and where each begins and the last ends. `units`: UTF-16 units of all. */
export function joinTexts(
  texts: Iterable<string>,
  count: number,
  units: number,
): { readonly bytes: Uint8Array; readonly offsets: Int32Array } {
  const offsets = new Int32Array(count + 1);
  const room = new Uint8Array(TEXT_ROOM * units);
  let at = 0;
  let entry = 0;
  for (const text of texts) {
    at += putText(text, room, at);
    offsets[++entry] = at;
  }
  return { bytes: room.slice(0, at), offsets };
}
