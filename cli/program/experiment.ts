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
    .description("Trains many runs that differ in one thing, and tells what it changes.")
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
        "same samples in the same order, and measures how far the losses part. A run that is done is kept: the same command " +
        "goes on where it was ended.",
    )
    .option("--preset <name>", "a ready experiment, see below; the other options replace its own")
    .option("--task <task>", "as in isobatch run")
    .option("--arms <names>", "optimizers with their rules, separated by commas (default: all)", words("--arms"))
    .option("--kappa <numbers>", "micro-batches per step", wholeNumbers("--kappa", 1, MICRO_BATCHES_MAX))
    .option("--lr <numbers>", "learning rates, as at κ = 1", numbers("--lr"))
    .option("--seeds <numbers>", "of weights and samples (default: 0,1,2)", wholeNumbers("--seeds", 0, SEED_MAX))
    .option(
      "--micro-batches <n>",
      "length of a run (default: the task's)",
      wholeNumber("--micro-batches", 1, STEPS_MAX),
    )
    .option(
      "--evaluate-every <n>",
      "in micro-batches, a multiple of every κ (default: 32 times a run)",
      wholeNumber("--evaluate-every", 1, STEPS_MAX),
    )
    .option(
      "--evaluation-samples <n>",
      "evaluate on the first of the test part (default: the task's)",
      wholeNumber("--evaluation-samples", 1, 2 ** 32 - 1),
    )
    .option("--beta1 <number>", "as at κ = 1 (default: the task's)", number("--beta1"))
    .option("--beta2 <number>", "the same", number("--beta2"))
    .option("--weight-decay <number>", "the same", number("--weight-decay"))
    .addOption(
      new Option("--precision <name>", "precision of matrix products and convolutions (default: the task's)")
        .choices(PRECISIONS)
        .argParser(oneOf("--precision", PRECISIONS)),
    )
    .option(
      "--processes <n>",
      "runs at once (default: one per core; on GPUs, one per GPU)",
      wholeNumber("--processes", 1, WORKERS_MAX),
    )
    .option("--backend <name>", "what to compute with (default: the first that starts; see isobatch doctor)")
    .option("--out <dir>", "where the results go (default: runs/invariance-<name>)")
    .addHelpText(
      "after",
      examples(
        ["isobatch experiment invariance --preset quick", "a first look, in a minute"],
        ["isobatch experiment invariance --preset quick --precision bfloat16", "the same with products in bfloat16"],
        [
          "isobatch experiment invariance --task mnist --kappa 1,4,16 --lr 1e-4,1e-3 --arms invariant,standard --backend wasm",
          "a task of your own choice",
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
    .summary("may workers come and go?")
    .description(
      "Trains a small net on MNIST with real worker processes that come and go, so that κ follows them, and compares its " +
        "losses with those of the same run with one worker, and with another order of the samples.",
    )
    .option(
      "--workers <numbers>",
      "how many there are in each of as many parts of the run",
      wholeNumbers("--workers", 1, WORKERS_MAX),
      [1, 4, 2, 8],
    )
    .option("--arms <names>", "optimizers with their rules, separated by commas", words("--arms"), [
      ...["invariant-linear", "sqrt", "standard"],
    ])
    .option("--samples <n>", "length of a run", wholeNumber("--samples", 1, SAMPLES_MAX), 368_640)
    .option("--lr <number>", "the learning rate, as at κ = 1", number("--lr"), 3e-4)
    .option("--seed <n>", "of weights and samples", wholeNumber("--seed", 0, SEED_MAX), 0)
    .option("--backend <name>", "what to compute with", "wasm")
    .option("--out <dir>", "where the results go", "runs/experiment-elastic")
    .addHelpText("after", examples(["isobatch experiment elastic", "1 → 4 → 2 → 8 workers, in a few minutes"]))
    .action(async (options) => {
      const { elastic } = await import("../commands/elastic.js");
      end(await elastic(options, environment));
    });
}
