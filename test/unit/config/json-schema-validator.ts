type Keywords = Readonly<Record<string, unknown>>;

const ANNOTATIONS = new Set(["$schema", "title", "description", "default", "examples"]);

/**
 * Places where a value breaks a JSON Schema (draft 2020-12), for the keywords that the configuration's schema uses, written from the
 * standard and not from the code that makes the schema. Throws for a keyword it does not know, so that none is passed over.
 */
export function faultsOf(schema: Keywords, value: unknown, at = "$"): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]) =>
    ANNOTATIONS.has(keyword) ? [] : check(schema, keyword, rule, value, at),
  );
}

function check(schema: Keywords, keyword: string, rule: unknown, value: unknown, at: string): string[] {
  const fails = (broken: boolean): string[] => (broken ? [`${at}: ${keyword}`] : []);
  const object = typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Keywords) : undefined;
  const list = Array.isArray(value) ? (value as unknown[]) : undefined;
  const branches = (): number =>
    (rule as Keywords[]).filter((branch) => faultsOf(branch, value, at).length === 0).length;
  switch (keyword) {
    case "type":
      return fails(!hasType(value, rule));
    case "const":
      return fails(value !== rule);
    case "enum":
      return fails(!(rule as unknown[]).includes(value));
    case "pattern":
      return fails(typeof value === "string" && !new RegExp(String(rule), "u").test(value));
    case "allOf":
      return (rule as Keywords[]).flatMap((branch) => faultsOf(branch, value, at));
    case "minLength":
      return fails(typeof value === "string" && Array.from(value).length < Number(rule));
    case "maxLength":
      return fails(typeof value === "string" && Array.from(value).length > Number(rule));
    case "minimum":
      return fails(typeof value === "number" && value < Number(rule));
    case "maximum":
      return fails(typeof value === "number" && value > Number(rule));
    case "exclusiveMinimum":
      return fails(typeof value === "number" && value <= Number(rule));
    case "minItems":
      return fails(list !== undefined && list.length < Number(rule));
    case "maxItems":
      return fails(list !== undefined && list.length > Number(rule));
    case "items":
      return (list ?? []).flatMap((item, i) => faultsOf(rule as Keywords, item, `${at}[${i}]`));
    case "required":
      return object === undefined ? [] : (rule as string[]).flatMap((key) => fails(!Object.hasOwn(object, key)));
    case "propertyNames":
      return Object.keys(object ?? {}).flatMap((key) => faultsOf(rule as Keywords, key, `${at}.${key}`));
    case "properties":
      return Object.entries(object ?? {}).flatMap(([key, inner]) =>
        Object.hasOwn(rule as Keywords, key)
          ? faultsOf((rule as Record<string, Keywords>)[key] ?? {}, inner, `${at}.${key}`)
          : [],
      );
    case "additionalProperties": {
      const known = (schema["properties"] ?? {}) as Keywords;
      return Object.entries(object ?? {})
        .filter(([key]) => !Object.hasOwn(known, key))
        .flatMap(([key, inner]) =>
          rule === false ? [`${at}.${key}: ${keyword}`] : faultsOf(rule as Keywords, inner, `${at}.${key}`),
        );
    }
    case "anyOf":
      return fails(branches() === 0);
    case "oneOf":
      return fails(branches() !== 1);
    default:
      throw new Error(`this validator does not know ${keyword} (at ${at})`);
  }
}

function hasType(value: unknown, type: unknown): boolean {
  switch (type) {
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
    default:
      throw new Error(`this validator does not know the type ${String(type)}`);
  }
}
