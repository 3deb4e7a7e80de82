import { type Command, Option } from "commander";
import { PRESETS } from "../../experiment/invariance/presets.js";
import { PRECISIONS } from "../../shared/precision.js";
import type { Environment } from "../environment.js";
import { number, numbers, oneOf, wholeNumber, wholeNumbers, words } from "../option-values.js";
import { MICRO_BATCHES_MAX, SAMPLES_MAX, SEED_MAX, STEPS_MAX, WORKERS_MAX } from "./limits.js";
import { examples } from "./options.js";

type End = (exitCode: number) => void;

export function addExperiment(program: Command, environment: Environment, end: End): void {
  const experiment = program
    .command("experiment")
    .summary("compare optimizers and batch sizes")
    .description("Trains many runs that differ in one setting, and shows what that setting changes.")
    .addHelpText(
      "after",
      examples(["isobatch experiment invariance --preset quick", "does the batch size change the training?"]),
    );
  addInvariance(experiment, environment, end);
  addElastic(experiment, environment, end);
}

function addInvariance(experiment: Command, environment: Environment, end: End): void {
  experiment
    .command("invariance")
    .summary("does the batch size change the training?")
    .description(
      "Trains a task with κ micro-batches per step and with one, under several rules, from the same weights and on the " +
        "same samples in the same order, and measures how far the losses diverge. Completed runs are kept: the same " +
        "command resumes the experiment.",
    )
    .option("--preset <name>", "a predefined experiment, see below; other options override its settings")
    .option("--task <task>", "the task, as in isobatch run")
    .option("--arms <names>", "optimizers with their rules, comma-separated (default: all)", words("--arms"))
    .option(
      "--kappa <numbers>",
      "micro-batches per step, comma-separated",
      wholeNumbers("--kappa", 1, MICRO_BATCHES_MAX),
    )
    .option("--lr <numbers>", "learning rates at κ = 1, comma-separated", numbers("--lr"))
    .option("--seeds <numbers>", "seeds of weights and samples (default: 0,1,2)", wholeNumbers("--seeds", 0, SEED_MAX))
    .option(
      "--micro-batches <n>",
      "length of each run (default: the task's)",
      wholeNumber("--micro-batches", 1, STEPS_MAX),
    )
    .option(
      "--evaluate-every <n>",
      "evaluate after this many micro-batches, a multiple of every κ (default: 32 times per run)",
      wholeNumber("--evaluate-every", 1, STEPS_MAX),
    )
    .option(
      "--evaluation-samples <n>",
      "evaluate on the first n test samples (default: the task's)",
      wholeNumber("--evaluation-samples", 1, 2 ** 32 - 1),
    )
    .option("--beta1 <number>", "beta1 at κ = 1 (default: the task's)", number("--beta1"))
    .option("--beta2 <number>", "beta2 at κ = 1 (default: the task's)", number("--beta2"))
    .option("--weight-decay <number>", "weight decay at κ = 1 (default: the task's)", number("--weight-decay"))
    .addOption(
      new Option("--precision <name>", "precision of matrix products and convolutions (default: the task's)")
        .choices(PRECISIONS)
        .argParser(oneOf("--precision", PRECISIONS)),
    )
    .option(
      "--processes <n>",
      "runs trained at the same time (default: one per core; on GPUs, one per GPU)",
      wholeNumber("--processes", 1, WORKERS_MAX),
    )
    .option("--backend <name>", "backend to compute with (default: the first that works; see isobatch doctor)")
    .option("--out <dir>", "folder for the results (default: runs/invariance-<name>)")
    .addHelpText(
      "after",
      examples(
        ["isobatch experiment invariance --preset quick", "a first look, in a minute"],
        [
          "isobatch experiment invariance --preset quick --precision bfloat16",
          "the same with matrix products in bfloat16",
        ],
        [
          "isobatch experiment invariance --task mnist --kappa 1,4,16 --lr 1e-4,1e-3 --arms invariant,standard --backend wasm",
          "any other task",
        ],
      ),
    )
    .addHelpText(
      "after",
      `Presets:\n${Object.entries(PRESETS)
        .map(([name, { about }]) => `  ${name.padEnd(14)} ${about}\n`)
        .join("")}`,
    )
    .action(async (options) => {
      const { invariance } = await import("../commands/experiment.js");
      end(await invariance(options, environment));
    });
}

function addElastic(experiment: Command, environment: Environment, end: End): void {
  experiment
    .command("elastic")
    .summary("may workers join and leave during a run?")
    .description(
      "Trains a small network on MNIST with worker processes that join and leave, so that κ follows their number, and " +
        "compares its losses with those of one worker and with those of another sample order.",
    )
    .option(
      "--workers <numbers>",
      "number of workers in each part of the run",
      wholeNumbers("--workers", 1, WORKERS_MAX),
      [1, 4, 2, 8],
    )
    .option("--arms <names>", "optimizers with their rules, comma-separated", words("--arms"), [
      ...["invariant-linear", "sqrt", "standard"],
    ])
    .option("--samples <n>", "length of each run", wholeNumber("--samples", 1, SAMPLES_MAX), 368_640)
    .option("--lr <number>", "learning rate at κ = 1", number("--lr"), 3e-4)
    .option("--seed <n>", "seed of weights and samples", wholeNumber("--seed", 0, SEED_MAX), 0)
    .option("--backend <name>", "backend to compute with", "wasm")
    .option("--out <dir>", "folder for the results", "runs/experiment-elastic")
    .addHelpText("after", examples(["isobatch experiment elastic", "1 → 4 → 2 → 8 workers, in a few minutes"]))
    .action(async (options) => {
      const { elastic } = await import("../commands/elastic.js");
      end(await elastic(options, environment));
    });
}
