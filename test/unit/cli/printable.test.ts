import { expect, it } from "vitest";
import { printable } from "../../../src/cli/printable.ts";

it.each([
  ["a\u{1b}[31mb", "a\\u{1b}[31mb"],
  ["one\r\ntwo\tthree", "one\\u{d}\\u{a}two\\u{9}three"],
  ["\u{9b}2K\u{7f}", "\\u{9b}2K\\u{7f}"],
  ["\u{202e}gnp.exe\u{2066}", "\\u{202e}gnp.exe\\u{2066}"],
  ["Größe 😀 \u{feff}· ✓", "Größe 😀 \u{feff}· ✓"],
])("%j is shown as %j", (text, shown) => {
  expect(printable(text)).toBe(shown);
});
