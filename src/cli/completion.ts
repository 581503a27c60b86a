import type { Command } from "commander";

/** A command as a shell completes it: the words that lead to it, and what may follow. */
export interface CompletedCommand {
  /** `["module", "run"]`; empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly options: readonly { readonly flag: string; readonly description: string; readonly takesValue: boolean }[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
}

/** Shells that there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@link SHELLS}. */
export type Shell = (typeof SHELLS)[number];

/** The tree of commands below one, that one first. */
export function completedCommands(root: Command, path: readonly string[] = []): CompletedCommand[] {
  const options = root.options.map(({ long, description, required }) => ({
    flag: long ?? "",
    description,
    takesValue: required,
  }));
  const own: CompletedCommand = {
    path,
    description: root.description(),
    options: [...options, { flag: "--help", description: "show help", takesValue: false }],
    commands: root.commands.map((command) => ({ name: command.name(), description: command.description() })),
  };
  return [own, ...root.commands.flatMap((command) => completedCommands(command, [...path, command.name()]))];
}

/** The script for a shell. Words of the tree are letters, digits and `-`; descriptions are quoted. */
export function completionScript(shell: Shell, program: string, commands: readonly CompletedCommand[]): string {
  if (shell === "fish") return fishScript(program, commands);
  return shell === "bash" ? bashScript(program, commands) : zshScript(program, commands);
}

/** Walks the words before the cursor down the tree: both Bourne shells do it alike. */
function walk(commands: readonly CompletedCommand[]): string {
  const paths = commands.flatMap(({ path }) => (path.length === 0 ? [] : [`/${path.join("/")}`]));
  return `case "$at/$word" in
      ${paths.join("|")}) at="$at/$word" ;;
    esac`;
}

function bashScript(program: string, commands: readonly CompletedCommand[]): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const cases = commands.map(({ path, options, commands: below }) => {
    const at = path.length === 0 ? '""' : `/${path.join("/")}`;
    const flags = options.map(({ flag }) => flag).join(" ");
    return `    ${at}) options="${flags}" commands="${below.map((one) => one.name).join(" ")}" ;;`;
  });
  return `# bash completion for ${program}
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at="" word i options="" commands=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    ${walk(commands)}
  done
  case "$at" in
${cases.join("\n")}
  esac
  COMPREPLY=()
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  fi
}
complete -o default -F ${name} ${program}
`;
}

function zshScript(program: string, commands: readonly CompletedCommand[]): string {
  const name = `_${program.replaceAll("-", "_")}`;
  const listed = (words: readonly (readonly [string, string])[]): string =>
    words.map(([word, description]) => zshQuoted(`${word}:${description.replaceAll(":", "\\:")}`)).join(" ");
  const cases = commands.map(({ path, options, commands: below }) => {
    const at = path.length === 0 ? '""' : `/${path.join("/")}`;
    const flags = listed(options.map(({ flag, description }) => [flag, description]));
    return `    ${at}) options=(${flags}) commands=(${listed(below.map((one) => [one.name, one.description]))}) ;;`;
  });
  return `#compdef ${program}
${name}() {
  local at="" word
  local -a options commands
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    ${walk(commands)}
  done
  case "$at" in
${cases.join("\n")}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe option options
  elif (( \${#commands} )); then
    _describe command commands
  else
    _files
  fi
}
compdef ${name} ${program}
`;
}

function fishScript(program: string, commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ path, options, commands: below }) => {
    const condition = fishCondition(
      path,
      below.map((one) => one.name),
    );
    const start = `complete -c ${program} -n ${fishQuoted(condition)}`;
    return [
      ...below.map((one) => `${start} -f -a ${one.name} -d ${fishQuoted(one.description)}`),
      ...options.map(({ flag, description, takesValue }) => {
        const value = takesValue ? " -r" : "";
        return `${start} -l ${flag.replace(/^--/, "")}${value} -d ${fishQuoted(description)}`;
      }),
    ];
  });
  return `# fish completion for ${program}\n${lines.join("\n")}\n`;
}

/** The words so far lead here and no further; a command of a group has the group's name before it, one of the program has not. */
function fishCondition(path: readonly string[], below: readonly string[]): string {
  const [first, second] = path;
  if (first === undefined) return "__fish_use_subcommand";
  const seen = `test (commandline -opc)[2] = ${first}`;
  if (second !== undefined) return `${seen}; and __fish_seen_subcommand_from ${second}`;
  return below.length === 0 ? seen : `${seen}; and not __fish_seen_subcommand_from ${below.join(" ")}`;
}

function zshQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
