import { z } from "zod";
import type { ConfigPath } from "./problem.ts";
import { writtenConfigSchema } from "./schema.ts";

/** The part of JSON Schema that the configuration's schema uses. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly required?: readonly string[];
  readonly default?: unknown;
}

/** JSON Schema (draft 2020-12) of `ipdm.yaml` as it is written, with descriptions and defaults for editors. */
export function configJsonSchema(): JsonSchema {
  const made = z.toJSONSchema(writtenConfigSchema, { target: "draft-2020-12", io: "input" });
  const { $schema, ...rest } = made as JsonSchema;
  return { ...($schema === undefined ? {} : { $schema }), title: "ipdm.yaml", ...rest };
}

/** The schema as the text of a file. */
export function configSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

let root: JsonSchema | undefined;

/** The keys that may stand at a place of the configuration; none where names are free or values stand. */
export function keysAt(path: ConfigPath): readonly string[] {
  // Made once: making it takes milliseconds, and only errors need it.
  root ??= configJsonSchema();
  let at: readonly JsonSchema[] = [root];
  for (const step of path) at = at.flatMap(branches).flatMap((schema) => childOf(schema, step));
  return [...new Set(at.flatMap(branches).flatMap((schema) => Object.keys(schema.properties ?? {})))].filter(
    (key) => key !== "$schema",
  );
}

function branches(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap(branches);
}

function childOf(schema: JsonSchema, step: string | number): readonly JsonSchema[] {
  if (typeof step === "number") return schema.items === undefined ? [] : [schema.items];
  const { properties = {}, additionalProperties } = schema;
  if (Object.hasOwn(properties, step)) return [properties[step] ?? {}];
  return typeof additionalProperties === "object" ? [additionalProperties] : [];
}
