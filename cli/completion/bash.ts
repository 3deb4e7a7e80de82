import type { CompletedCommand, CompletedValue } from "./describe.js";

/**
 * Bash, from 3.2 on. The script reads the words before the cursor to find the command, whether an option still needs
 * its value, and the number of operands.
 */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const [program] = commands[0].path;
  const name = (command: CompletedCommand): string => command.path.join(" ");
  const options = commands.flatMap((command) =>
    command.options.map(({ flags, value }) => ({ keys: flags.map((flag) => `${name(command)} ${flag}`), value })),
  );
  const valued = options.flatMap(({ keys, value }) => (value === undefined ? [] : keys));
  const nested = commands.slice(1).map(name);
  const values = options.flatMap(({ keys, value }) => (value === undefined ? [] : complete(keys, value)));
  const operands = commands.flatMap((command) =>
    command.operands.flatMap((operand, i) => complete([`${name(command)} ${i}`], operand)),
  );
  const words = commands.map((command) =>
    branch(
      [name(command)],
      `words=${quote(command.subcommands.map((child) => child.name).join(" "))} ` +
        `flags=${quote(command.options.flatMap(({ flags }) => flags).join(" "))}`,
    ),
  );
  return `# ${program} completion for bash. For this shell: source <(${program} completion bash)

_${program}_from() {
  local IFS=$'\\n'
  COMPREPLY+=($("$@"))
}

_${program}_words() {
  _${program}_from compgen -W "\${1// /$'\\n'}" -- "$cur"
}

_${program}_paths() {
  compopt -o filenames 2>/dev/null
  _${program}_from compgen "$1" -- "$cur"
}

_${program}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" command=${program} option="" operands=0 words="" flags="" word before="" i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    # Bash splits HOST:PORT into three words, and --option=value too.
    if [[ $word == : || $before == : || $word == = ]]; then
      before="$word"
      continue
    fi
    before="$word"
    if [[ -n $option ]]; then
      option=""
      continue
    fi
    case "$command $word" in
      ${patterns(nested)}) command="$command $word" operands=0 ;;
      ${patterns(valued)}) option="$command $word" ;;
      *" -"*) ;;
      *) operands=$((operands + 1)) ;;
    esac
  done
  if [[ $cur == : || $before == : ]]; then return; fi
  if [[ $cur == = ]]; then cur=""; fi
  if [[ -n $option ]]; then
    case "$option" in
      ${values.join("\n      ")}
    esac
    return
  fi
  case "$command" in
    ${words.join("\n    ")}
  esac
  if [[ $cur == -* ]]; then
    _${program}_words "$flags"
    return
  fi
  if [[ $operands == 0 ]]; then _${program}_words "$words"; fi
  case "$command $operands" in
    ${operands.join("\n    ")}
  esac
}

complete -F _${program} ${program}
`;

  function complete(keys: readonly string[], { words: ofValue, paths }: CompletedValue): string[] {
    const parts = [
      ...(ofValue.length > 0 ? [`_${program}_words ${quote(ofValue.join(" "))}`] : []),
      ...(paths === "none" ? [] : [`_${program}_paths ${paths === "files" ? "-f" : "-d"}`]),
    ];
    return parts.length === 0 ? [] : [branch(keys, parts.join("; "))];
  }
}

function branch(keys: readonly string[], action: string): string {
  return `${patterns(keys)}) ${action} ;;`;
}

function patterns(keys: readonly string[]): string {
  return keys.map(quote).join(" | ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
