import type { CompletedCommand, CompletedOption, CompletedValue } from "./describe.js";

/** Fish: one rule per possible word, on the condition that the words before it are those of its command. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const [program] = commands[0].path;
  const paths = commands.slice(1).map(({ path }) => quote(path.slice(1).join(" ")));
  return `# ${program} completion for fish. For this shell: ${program} completion fish | source

# Whether the words so far name this command.
function __${program}_at
    set -l command
    for word in (commandline -opc)[2..]
        set -l longer (string trim -- "$command $word")
        contains -- "$longer" ${paths.join(" ")}; and set command $longer
    end
    test "$command" = "$argv"
end

complete -c ${program} -f
${commands.flatMap((command) => rules(program, command)).join("\n")}
`;
}

function rules(program: string, { path, subcommands, options, operands }: CompletedCommand): string[] {
  const rule = `complete -c ${program} -n ${quote(`__${program}_at ${path.slice(1).join(" ")}`.trim())}`;
  return [
    ...subcommands.map(({ name, summary }) => `${rule} -a ${quote(name)} -d ${quote(summary)}`),
    ...options.map((option) => `${rule} ${optionRule(option)}`),
    ...operands.flatMap((operand) => operandRules(operand).map((words) => `${rule} ${words}`)),
  ];
}

function optionRule({ flags, description, value }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const takes = value === undefined ? [] : [valueRule(value)];
  return [...names, ...takes, `-d ${quote(description)}`].join(" ");
}

function valueRule({ words, paths }: CompletedValue): string {
  if (paths === "files") return words.length === 0 ? "-r -F" : `-r -F -a ${quote(words.join(" "))}`;
  const folders = paths === "folders" ? ["(__fish_complete_directories)"] : [];
  const candidates = [...words, ...folders];
  return candidates.length === 0 ? "-x" : `-x -a ${quote(candidates.join(" "))}`;
}

function operandRules({ words, paths }: CompletedValue): string[] {
  return [
    ...(words.length === 0 ? [] : [`-a ${quote(words.join(" "))}`]),
    ...(paths === "files" ? ["-F"] : []),
    ...(paths === "folders" ? [`-a ${quote("(__fish_complete_directories)")}`] : []),
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
