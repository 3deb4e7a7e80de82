import { type Command, Option } from "commander";
import type { Environment } from "../environment.js";
import { oneOf, wholeNumber } from "../option-values.js";
import { SEED_MAX } from "./limits.js";
import { examples } from "./options.js";

/** What needs no server. */
export function addReaders(program: Command, environment: Environment): void {
  program
    .command("runs")
    .summary("list runs with their results")
    .description(
      "Lists the runs in a folder with their results, the newest first: samples and epochs, test loss, last and best test " +
        "accuracy, state, and the hash of the weights.",
    )
    .argument("[dir]", "a folder of run directories, or one of them", "runs")
    .option("--json", "as JSON, with all that is known of each run")
    .addHelpText(
      "after",
      examples(
        ["isobatch runs", "the runs in the folder runs"],
        ["isobatch runs /data/sweep --json", "another folder's runs, for a program"],
      ),
    )
    .action(async (folder: string, options) => {
      const { runs } = await import("../commands/runs.js");
      runs(folder, options, environment);
    });
  program
    .command("evaluate")
    .summary("evaluate a run's newest checkpoint")
    .description("Evaluates a run's newest checkpoint on its task's test samples.")
    .argument("<dir>", "a run directory")
    .option("--backend <name>", "what to compute with (default: the run's, or else the first that works)")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples(
        ["isobatch evaluate runs/mnist", "of a run of the built-in task mnist"],
        ["isobatch evaluate runs/mnist --json", "for a program"],
      ),
    )
    .action(async (folder: string, options) => {
      const { evaluate } = await import("../commands/evaluate.js");
      await evaluate(folder, options, environment);
    });
  program
    .command("export")
    .summary("write a run's weights for other programs")
    .description("Writes a run's newest weights in a format that others read.")
    .argument("<dir>", "a run directory")
    .addOption(
      new Option("--format <name>", "of tfjs, a LayersModel")
        .choices(["tfjs", "safetensors"])
        .argParser(oneOf("--format", ["tfjs", "safetensors"]))
        .makeOptionMandatory(),
    )
    .option("--out <path>", "the folder (tfjs) or file (safetensors) to write (default: within the run directory)")
    .addHelpText(
      "after",
      examples(
        ["isobatch export runs/mnist --format tfjs --out model", "for loadLayersModel of TensorFlow.js"],
        ["isobatch export runs/mnist --format safetensors --out mnist.safetensors", "for Python and others"],
      ),
    )
    .action(async (folder: string, options) => {
      const { exportModel } = await import("../commands/export.js");
      await exportModel(folder, options);
    });
  program
    .command("samples")
    .summary("print the sample numbers of a micro-batch")
    .description(
      "Prints the numbers of a micro-batch's samples, one per line, so that a run can be replayed elsewhere.",
    )
    .argument("<task>", "as in isobatch run")
    .requiredOption(
      "--micro-batch <n>",
      "its number, counted from 0 over the whole run",
      wholeNumber("--micro-batch", 0, Number.MAX_SAFE_INTEGER),
    )
    .option("--seed <n>", "of the run (default: the task's)", wholeNumber("--seed", 0, SEED_MAX))
    .option("--data <path>", "the data set's folder or file (default: the task's)")
    .addHelpText(
      "after",
      examples(["isobatch samples mnist --micro-batch 17", "what step 4 of κ = 4 begins with, after a micro-batch"]),
    )
    .action(async (task: string, options) => {
      const { samples } = await import("../commands/samples.js");
      await samples(task, options);
    });
  program
    .command("doctor")
    .summary("tell which backends work here")
    .description(
      "Tells what there is to compute with on this machine: devices, libraries and their versions, threads, what makes " +
        "the bits repeat; which backends work here, and why the others do not.",
    )
    .addHelpText(
      "after",
      examples(
        ["isobatch doctor", "what isobatch worker join would compute with"],
        ["isobatch doctor --json", "for a program"],
      ),
    )
    .option("--json", "as JSON")
    .action(async (options) => {
      const { doctor } = await import("../commands/doctor.js");
      await doctor(options, environment);
    });
}
