/** Control characters, and those that turn the direction of text: a terminal obeys them. */
const OBEYED = /[\p{Cc}\u{2028}\u{2029}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2066}-\u{2069}]/gu;

/**
 * Text for a terminal: what may come from a stranger's file (names in a receipt, columns, paths) is shown, and never moves the
 * cursor, colours or hides anything. Control characters become `\u{…}`.
 */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
}
