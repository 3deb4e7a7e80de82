/**
 * The command line: its commands, options and arguments. Each command's code is loaded when the command runs, so that
 * `--help` and typing errors don't wait for TensorFlow.js.
 */
import { Command, Option } from "commander";
import { suggestion, withSuggestions } from "../shared/nearest.js";
import { version } from "../shared/version.js";
import type { Environment } from "./environment.js";
import { usageSentence } from "./failure.js";
import { addCompletion } from "./program/completion.js";
import { addControls } from "./program/controls.js";
import { addExperiment } from "./program/experiment.js";
import { examples } from "./program/options.js";
import { addReaders } from "./program/readers.js";
import { addRun, addServer } from "./program/serving.js";
import { addTensorFlow } from "./program/tensorflow.js";
import { addTokens } from "./program/tokens.js";
import { addWorker } from "./program/worker.js";

/** @param end is called with the exit code of a command that has its own */
export function createProgram(environment: Environment, end: (exitCode: number) => void): Command {
  const program = new Command("isobatch")
    .description(
      "Trains neural networks on one machine or many. Tune once with one micro-batch per step; then machines may join " +
        "and leave during a run, without a change of hyperparameters.",
    )
    .version(version)
    .addOption(new Option("-v").hideHelp())
    .on("option:v", () => (program as Command & Undeclared).emit("option:version"))
    .addHelpText(
      "after",
      examples(
        ["isobatch run mnist", "train MNIST on a cluster of this machine's cores"],
        ["isobatch run my-task.json --workers 4 --out runs/first", "your own task; the same command resumes it"],
        ["isobatch server mnist --listen 127.0.0.1:7400", "a server that prints how workers join"],
        ["isobatch evaluate runs/mnist", "loss and accuracy of the newest checkpoint"],
      ),
    );

  addRun(program, environment, end);
  addServer(program, environment, end);
  addWorker(program, environment, end);
  addControls(program, environment);
  addTokens(program, environment);
  addExperiment(program, environment, end);
  addReaders(program, environment);
  addTensorFlow(program, environment, end);
  addCompletion(program);
  configure(program);
  return program;
}

/** Methods that commander calls but its types don't declare. */
interface Undeclared {
  emit(event: string): void;
  unknownOption(first: string): void;
  unknownCommand(): void;
}

/** Errors are thrown as one sentence, and so is a request for help. */
function configure(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: (complaint, write) => write(usageSentence(complaint, commandLine(command))),
  });
  suggestNames(command);
  for (const child of command.commands) configure(child);
}

/** Options that other programs have, and what they are called here. */
const OTHER_PROGRAMS: Readonly<Record<string, string>> = {
  "--lr": "--set learningRate=…",
  "--learning-rate": "--set learningRate=…",
  "--batch-size": "--set microBatchSize=…",
  "--epochs": "--samples: an epoch is as many as the training part has",
};

/** Commander names only the first unknown option, and measures differently which names are similar. */
function suggestNames(command: Command): void {
  const help = command.createHelp();
  const parse = command.parseOptions.bind(command);
  let unknown: string[] = [];
  command.parseOptions = (words) => {
    const parsed = parse(words);
    // After an unknown option its value, or anything else that follows, counts as unknown too.
    unknown = parsed.unknown.filter((word) => word.startsWith("-")).map((word) => word.replace(/=.*$/s, ""));
    return parsed;
  };
  const undeclared = command as Command & Undeclared;
  undeclared.unknownOption = (first) => {
    const options = help.visibleOptions(command).flatMap(({ long }) => long ?? []);
    const words = [...new Set(unknown.length === 0 ? [first] : unknown)];
    const known = words.find((word) => Object.hasOwn(OTHER_PROGRAMS, word));
    const hint = known === undefined ? "" : ` (${known} is ${OTHER_PROGRAMS[known]} here)`;
    command.error(`error: unknown option${words.length > 1 ? "s" : ""} ${withSuggestions(words, options, "'")}${hint}`);
  };
  undeclared.unknownCommand = () => {
    const names = help.visibleCommands(command).flatMap((child) => [child.name(), ...child.aliases()]);
    const [name] = command.args;
    const hint = suggestion(name, names);
    command.error(`error: unknown command '${name}'${hint === undefined ? "" : ` (${hint})`}`);
  };
}

function commandLine(command: Command): string {
  return command.parent === null ? command.name() : `${commandLine(command.parent)} ${command.name()}`;
}
