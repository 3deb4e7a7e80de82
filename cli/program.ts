/**
 * The command line: what may be said, and what is done about it. Each command's code is loaded when it is called for,
 * so that `--help` and a slip of the pen don't wait for TensorFlow.js.
 */
import { Command } from "commander";
import { version } from "../shared/version.js";
import type { Environment } from "./environment.js";
import { usageSentence } from "./failure.js";
import { addCompletion } from "./program/completion.js";
import { addControls } from "./program/controls.js";
import { addExperiment } from "./program/experiment.js";
import { examples } from "./program/options.js";
import { addReaders } from "./program/readers.js";
import { addRun, addServer, addShard } from "./program/serving.js";
import { addTensorFlow } from "./program/tensorflow.js";
import { addTokens } from "./program/tokens.js";
import { addWorker } from "./program/worker.js";

/** @param end is told the exit code of a command that has one of its own */
export function createProgram(environment: Environment, end: (exitCode: number) => void): Command {
  const program = new Command("isobatch")
    .description(
      "Trains neural networks on a cluster of machines: tune once with one micro-batch per step, then add or lose " +
        "machines in mid-run, with no hyperparameter changes.",
    )
    .version(version)
    .showSuggestionAfterError()
    .addHelpText(
      "after",
      examples(
        ["isobatch run mnist", "train MNIST on a cluster of this machine's cores"],
        ["isobatch run my-task.json --workers 4 --out runs/first", "a task of your own; the same command goes on"],
        ["isobatch server mnist --listen 127.0.0.1:7400", "a server that prints how workers join"],
        ["isobatch evaluate runs/mnist", "loss and accuracy of the newest checkpoint"],
      ),
    );

  addRun(program, environment, end);
  addServer(program, environment, end);
  addWorker(program, environment, end);
  addShard(program, environment, end);
  addControls(program, environment);
  addTokens(program, environment);
  addExperiment(program, environment, end);
  addReaders(program, environment);
  addTensorFlow(program, environment, end);
  addCompletion(program);
  configure(program);
  return program;
}

/** Errors are thrown, as one sentence; so is the wish for help. */
function configure(command: Command): void {
  command.exitOverride().configureOutput({
    outputError: (complaint, write) => write(usageSentence(complaint, commandLine(command))),
  });
  for (const child of command.commands) configure(child);
}

function commandLine(command: Command): string {
  return command.parent === null ? command.name() : `${commandLine(command.parent)} ${command.name()}`;
}
