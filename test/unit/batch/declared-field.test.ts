import { expect, it } from "vitest";
import { columnTypeMeant, declaredField } from "../../../src/batch/declared-field.ts";

it.each([
  ["int", "i64"],
  ["Integer", "i64"],
  ["string", "utf8"],
  ["TEXT", "utf8"],
  ["double", "f64"],
  ["float", "f64"],
  ["date", "timestamp"],
  ["datetime", "timestamp"],
  ["boolean", "bool"],
  ["uuid", "fixed(16)"],
])("%s means %s", (name, type) => {
  expect(columnTypeMeant(name)).toBe(type);
  expect(declaredField("c", type).name).toBe("c");
});

it("takes no other word for a type", () => {
  for (const name of ["", "thing", "constructor", "i64"]) expect(columnTypeMeant(name)).toBeUndefined();
});
