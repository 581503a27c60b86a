/**
 * How one file names another. `path` only asks where it is, for a program that is started and not loaded: `new URL("./x.ts",
 * import.meta.url)`, `require.resolve("x")`, `import.meta.resolve("x")`.
 */
export type ImportKind = "static" | "type" | "dynamic" | "path";

/** One place where a file names another file or a package. */
export interface ImportStatement {
  readonly kind: ImportKind;
  readonly specifier: string;
  readonly line: number;
}

interface Token {
  readonly text: string;
  readonly kind: "word" | "string" | "sign";
  readonly line: number;
}

/** After these words a slash begins a regular expression, not a division. */
const BEFORE_EXPRESSION = new Set([
  "return",
  "typeof",
  "case",
  "in",
  "of",
  "do",
  "else",
  "void",
  "delete",
  "await",
  "yield",
  "throw",
  "new",
]);

/**
 * Every import of a TypeScript or JavaScript text: static, `export … from`, `import type`, `import()` as value and as type,
 * `require()`, `require.resolve()`, and URLs against `import.meta.url`. Comments, strings and regular expressions do not count.
 */
export function importStatements(text: string): readonly ImportStatement[] {
  const tokens = tokensOf(text);
  const found: ImportStatement[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (token?.kind !== "word" || tokens[i - 1]?.text === ".") continue;
    const statement = statementAt(tokens, i, token);
    if (statement !== undefined) found.push(statement);
  }
  return found;
}

function statementAt(tokens: readonly Token[], at: number, { text, line }: Token): ImportStatement | undefined {
  const next = tokens[at + 1];
  if (next === undefined) return undefined;
  const called = next.text === "(" ? stringAt(tokens, at + 2) : undefined;
  switch (text) {
    case "import": {
      if (next.kind === "string") return { kind: "static", specifier: next.text, line };
      if (next.text === "(") return called === undefined ? undefined : { kind: "dynamic", specifier: called, line };
      return next.text === "." ? resolvedAt(tokens, at, line) : fromClause(tokens, at + 1, line);
    }
    case "export":
      return next.text === "{" || next.text === "*" || next.text === "type"
        ? fromClause(tokens, at + 1, line)
        : undefined;
    case "require": {
      if (called !== undefined) return { kind: "dynamic", specifier: called, line };
      const resolved = tokens[at + 2]?.text === "resolve" ? stringAt(tokens, at + 4) : undefined;
      return resolved === undefined ? undefined : { kind: "path", specifier: resolved, line };
    }
    case "URL":
      return called !== undefined && tokens[at + 4]?.text === "import"
        ? { kind: "path", specifier: called, line }
        : undefined;
    default:
      return undefined;
  }
}

/** `import.meta.resolve("x")`. */
function resolvedAt(tokens: readonly Token[], at: number, line: number): ImportStatement | undefined {
  const specifier = tokens[at + 4]?.text === "resolve" ? stringAt(tokens, at + 6) : undefined;
  return specifier === undefined ? undefined : { kind: "path", specifier, line };
}

/** `… from "x"` after `import` or `export`; a statement that has none (`export type A = …`) is no import. */
function fromClause(tokens: readonly Token[], start: number, line: number): ImportStatement | undefined {
  const isType = tokens[start]?.text === "type" && tokens[start + 1]?.text !== "from";
  let depth = 0;
  for (let i = start; i < tokens.length; i++) {
    const token = tokens[i];
    if (token === undefined || token.text === ";" || token.text === "=" || token.text === "(") return undefined;
    if (token.kind === "sign" && token.text === "{") depth++;
    if (token.kind === "sign" && token.text === "}") depth--;
    const specifier =
      depth === 0 && token.kind === "word" && token.text === "from" ? stringAt(tokens, i + 1) : undefined;
    if (specifier !== undefined) return { kind: isType ? "type" : "static", specifier, line };
    // The braces have closed and no `from` follows: `export { a }`.
    if (depth === 0 && token.text === "}" && tokens[i + 1]?.text !== "from") return undefined;
  }
  return undefined;
}

function stringAt(tokens: readonly Token[], at: number): string | undefined {
  const token = tokens[at];
  return token?.kind === "string" ? token.text : undefined;
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  // One entry for each `${` that is open: the depth of braces inside it.
  const templates: number[] = [];
  let line = 1;
  let at = 0;
  const push = (kind: Token["kind"], value: string): void => {
    tokens.push({ kind, text: value, line });
  };
  const skip = (end: number): void => {
    for (; at < end; at++) if (text[at] === "\n") line++;
  };
  while (at < text.length) {
    const char = text[at] as string;
    const open = templates.at(-1);
    if (/\s/.test(char)) skip(at + 1);
    else if (text.startsWith("//", at)) skip(endOf(text, "\n", at));
    else if (text.startsWith("/*", at)) skip(endOf(text, "*/", at) + 2);
    else if (char === '"' || char === "'") {
      const end = closing(text, at + 1, char);
      push("string", text.slice(at + 1, end));
      skip(end + 1);
    } else if (char === "`" || (char === "}" && open === 0)) {
      if (char === "}") templates.pop();
      const end = templateEnd(text, at + 1);
      // A template without a placeholder is a string: import(`./x.ts`).
      if (char === "`" && text[end] === "`") push("string", text.slice(at + 1, end));
      if (text[end] === "$") templates.push(0);
      skip(text[end] === "$" ? end + 2 : end + 1);
    } else if (/[\w$]/.test(char)) {
      const word = /^[\w$]+/.exec(text.slice(at, at + 256))?.[0] ?? char;
      push("word", word);
      skip(at + word.length);
    } else if (char === "/" && beginsExpression(tokens.at(-1))) {
      push("sign", "/");
      skip(regexEnd(text, at + 1));
    } else {
      if (open !== undefined && (char === "{" || char === "}"))
        templates[templates.length - 1] = open + (char === "{" ? 1 : -1);
      push("sign", char);
      skip(at + 1);
    }
  }
  return tokens;
}

function beginsExpression(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === "string") return false;
  return before.kind === "word" ? BEFORE_EXPRESSION.has(before.text) : !")]}".includes(before.text);
}

function endOf(text: string, ending: string, from: number): number {
  const end = text.indexOf(ending, from);
  return end < 0 ? text.length : end;
}

function closing(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  return at;
}

/** The end of a template's text: its closing backtick, or the `$` of the next placeholder. */
function templateEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "`" && !text.startsWith("${", at)) at += text[at] === "\\" ? 2 : 1;
  return at;
}

function regexEnd(text: string, from: number): number {
  let inClass = false;
  let at = from;
  for (; at < text.length && text[at] !== "\n"; at++) {
    const char = text[at];
    if (char === "\\") at++;
    else if (char === "[") inClass = true;
    else if (char === "]") inClass = false;
    else if (char === "/" && !inClass) return at + 1;
  }
  return at;
}
