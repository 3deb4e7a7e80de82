import { Argument, type Command } from "commander";
import { SHELLS, type Shell } from "../completion/index.js";
import { oneOf } from "../option-values.js";
import { examples } from "./options.js";

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .summary("make a shell complete command lines")
    .description("Prints a script that makes a shell complete the commands, options and values of isobatch.")
    .addArgument(new Argument("<shell>").choices(SHELLS).argParser(oneOf("The shell", SHELLS)))
    .addHelpText(
      "after",
      examples(
        ["source <(isobatch completion bash)", "for this bash; in ~/.bashrc for every bash"],
        ["source <(isobatch completion zsh)", "in ~/.zshrc, after compinit"],
        ["isobatch completion fish > ~/.config/fish/completions/isobatch.fish", "for every new fish"],
      ),
    )
    .action(async (shell: Shell) => {
      const { completion } = await import("../commands/completion.js");
      completion(shell, program);
    });
}
