import { type Command, Option } from "commander";
import type { Environment } from "../environment.js";
import { oneOf, wholeNumber } from "../option-values.js";
import { SEED_MAX } from "./limits.js";
import { examples } from "./options.js";

/** Commands that need no server. */
export function addReaders(program: Command, environment: Environment): void {
  addRuns(program, environment);
  addEvaluate(program, environment);
  addPredict(program);
  addExport(program);
  addSamples(program);
  addDoctor(program, environment);
}

function addRuns(program: Command, environment: Environment): void {
  program
    .command("runs")
    .summary("list runs with their results")
    .description(
      "Lists the runs in a folder with their results, the newest first: samples and epochs, test loss, last and best test " +
        "accuracy, state, and the hash of the weights.",
    )
    .argument("[dir]", "a folder of run directories, or one of them", "runs")
    .option("--json", "as JSON, with all that is known of each run")
    .option("--report <file>", "also write one HTML page that compares them")
    .addHelpText(
      "after",
      examples(
        ["isobatch runs", "the runs in the folder runs"],
        ["isobatch runs /data/sweep --json", "another folder's runs, for a program"],
        ["isobatch runs --report runs.html", "their curves on one page"],
      ),
    )
    .action(async (folder: string, options) => {
      const { runs } = await import("../commands/runs.js");
      await runs(folder, options, environment);
    });
}

function addEvaluate(program: Command, environment: Environment): void {
  program
    .command("evaluate")
    .summary("evaluate a run's newest checkpoint")
    .description("Evaluates a run's newest checkpoint on its task's test samples.")
    .argument("<dir>", "a run directory")
    .option("--backend <name>", "backend to compute with (default: the run's, else the first that works)")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples(
        ["isobatch evaluate runs/mnist", "test loss and accuracy of a run of mnist"],
        ["isobatch evaluate runs/mnist --json", "for a program"],
      ),
    )
    .action(async (folder: string, options) => {
      const { evaluate } = await import("../commands/evaluate.js");
      await evaluate(folder, options, environment);
    });
}

function addPredict(program: Command): void {
  program
    .command("predict")
    .summary("apply a run's model to new samples")
    .description(
      "Applies a run's newest weights to the samples in a file, and prints one line per sample: the class and its " +
        "probability, or the numbers that are predicted.",
    )
    .argument("<dir>", "a run directory")
    .requiredOption(
      "--data <file>",
      "the samples: for a task on CSV a CSV file with the same columns, whose label may be missing; otherwise .jsonl with " +
        "one array of numbers per line, or .json with an array of them",
    )
    .option("--json", "one JSON object per line: class, label, probabilities, outputs")
    .addHelpText(
      "after",
      examples(
        ["isobatch predict runs/apples --data new-apples.csv", "the kind of each new apple"],
        ["isobatch predict runs/mnist --data digits.jsonl --json", "784 numbers from 0 to 255 per line"],
      ),
    )
    .action(async (folder: string, options) => {
      const { predict } = await import("../commands/predict.js");
      await predict(folder, options);
    });
}

function addExport(program: Command): void {
  program
    .command("export")
    .summary("write a run's weights for other programs")
    .description("Writes a run's newest weights in a format that other programs read.")
    .argument("<dir>", "a run directory")
    .addOption(
      new Option("--format <name>", "tfjs: a LayersModel for TensorFlow.js; safetensors: for Python and others")
        .choices(["tfjs", "safetensors"])
        .argParser(oneOf("--format", ["tfjs", "safetensors"]))
        .default("tfjs"),
    )
    .option("--out <path>", "folder (tfjs) or file (safetensors) to write (default: in the run directory)")
    .addHelpText(
      "after",
      examples(
        ["isobatch export runs/mnist --out model", "for loadLayersModel of TensorFlow.js"],
        ["isobatch export runs/mnist --format safetensors --out mnist.safetensors", "for Python and others"],
      ),
    )
    .action(async (folder: string, options) => {
      const { exportModel } = await import("../commands/export.js");
      await exportModel(folder, options);
    });
}

function addSamples(program: Command): void {
  program
    .command("samples")
    .summary("print the sample numbers of a micro-batch")
    .description(
      "Prints the numbers of a micro-batch's samples, one per line, so that a run can be replayed in another program.",
    )
    .argument("<task>", "the task, as in isobatch run")
    .requiredOption(
      "--micro-batch <n>",
      "number of the micro-batch, counted from 0 over the whole run",
      wholeNumber("--micro-batch", 0, Number.MAX_SAFE_INTEGER),
    )
    .option("--seed <n>", "seed of the run (default: the task's)", wholeNumber("--seed", 0, SEED_MAX))
    .option("--data <path>", "the data set's folder or file (default: the task's)")
    .addHelpText(
      "after",
      examples(["isobatch samples mnist --micro-batch 17", "the second micro-batch of step 4 with κ = 4"]),
    )
    .action(async (task: string, options) => {
      const { samples } = await import("../commands/samples.js");
      await samples(task, options);
    });
}

function addDoctor(program: Command, environment: Environment): void {
  program
    .command("doctor")
    .summary("show which backends work on this machine")
    .description(
      "Shows what this machine can compute with: devices, libraries and their versions, threads, and what results depend " +
        "on bit for bit; which backends work here, and why the others do not.",
    )
    .addHelpText(
      "after",
      examples(
        ["isobatch doctor", "which backend a worker would use here"],
        ["isobatch doctor --json", "for a program"],
      ),
    )
    .option("--json", "as JSON")
    .action(async (options) => {
      const { doctor } = await import("../commands/doctor.js");
      await doctor(options, environment);
    });
}
