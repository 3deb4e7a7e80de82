import type { CompletedCommand, CompletedOption, CompletedValue } from "./describe.js";

/** Zsh: a function for each command, made of `_arguments` and `_describe`. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const [program] = commands[0].path;
  return `#compdef ${program}
# ${program} completion for zsh. For this shell: source <(${program} completion zsh)

${commands.map((command) => commandFunction(command)).join("\n")}
if [[ $funcstack[1] == _${program} ]]; then
  _${program} "$@"
else
  compdef _${program} ${program}
fi
`;
}

function commandFunction({ path, subcommands, options, operands }: CompletedCommand): string {
  const name = functionOf(path);
  const flags = options.flatMap(optionSpecs);
  if (subcommands.length === 0) {
    const values = operands.map((operand, i) => quote(`${i + 1}:${valueSpec(operand)}`));
    return `${name}() {\n  _arguments ${[...flags, ...values].join(" \\\n    ")}\n}\n`;
  }
  const described = subcommands.map((child) => quote(`${escapeColons(child.name)}:${child.summary}`));
  const calls = subcommands.map((child) => `${quote(child.name)}) ${functionOf([...path, child.name])} ;;`);
  return `${name}() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${[...flags, quote("1: :->command"), quote("*:: :->arguments")].join(" \\\n    ")}
  case $state in
    command)
      local -a commands=(
        ${described.join("\n        ")}
      )
      _describe command commands
      ;;
    arguments)
      case $line[1] in
        ${calls.join("\n        ")}
      esac
      ;;
  esac
}
`;
}

function functionOf(path: readonly string[]): string {
  return `_${path.join("_").replaceAll("-", "_")}`;
}

/** The flags of one option exclude each other. */
function optionSpecs({ flags, description, value }: CompletedOption): string[] {
  const excluded = flags.length > 1 ? `(${flags.join(" ")})` : "";
  const text = description.replace(/[[\]]/g, "\\$&").replaceAll(":", "\\:");
  return flags.map((flag) => {
    const suffix = value === undefined ? "" : `${flag.startsWith("--") ? "=" : ""}`;
    return quote(`${excluded}${flag}${suffix}[${text}]${value === undefined ? "" : `:${valueSpec(value)}`}`);
  });
}

/** "message:action" */
function valueSpec({ name, words, paths }: CompletedValue): string {
  const message = escapeColons(name);
  const list = `(${words.join(" ")})`;
  const files = paths === "folders" ? "_files -/" : "_files";
  if (words.length === 0) return `${message}:${paths === "none" ? " " : files}`;
  if (paths === "none") return `${message}:${list}`;
  return `${message}:{_alternative ${quote(`words:${message}:${list}`)} ${quote(`paths:path:${files}`)}}`;
}

function escapeColons(text: string): string {
  return text.replaceAll(":", "\\:");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
