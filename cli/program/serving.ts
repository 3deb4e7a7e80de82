/** The commands that serve a task: `isobatch run`, `isobatch server` and a server's other processes. */
import { type Command, Option } from "commander";
import { DEFAULT_PORT } from "../../shared/wire/address.js";
import type { Address } from "../../shared/wire/index.js";
import { type Environment, withLogOptions, withTransport } from "../environment.js";
import { address, fieldValue, kappaRule, seconds, wholeNumber } from "../option-values.js";
import { traced } from "../trace.js";
import {
  MICRO_BATCHES_MAX,
  SAMPLES_MAX,
  SEED_MAX,
  SHARDS_MAX,
  STEPS_MAX,
  THREADS_MAX,
  WAIT_SECONDS_MAX,
  WORKERS_MAX,
} from "./limits.js";
import { examples, logging, tracing, transporting } from "./options.js";

export function addRun(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const run = serving(program.command("run").alias("train"))
    .summary("train a task on a whole cluster on this machine")
    .description("Trains a task on a cluster on this machine: a server and workers, each in its own process.")
    .option(
      "--workers <n>",
      "worker processes (default: 2; one per GPU, if they compute on GPUs)",
      wholeNumber("--workers", 1, WORKERS_MAX),
    )
    .option("--backend <name>", "backend of the workers (default: the first that works; see isobatch doctor)")
    .option(
      "--compute-threads <n>",
      "threads per worker (default: the cores, divided among the workers; 1 on a GPU)",
      wholeNumber("--compute-threads", 1, THREADS_MAX),
    )
    .addOption(listen({ host: "127.0.0.1", port: 0 }, "127.0.0.1, any free port"));
  logging(transporting(run))
    .addHelpText(
      "after",
      examples(
        ["isobatch run mnist", "a built-in task, on 2 workers"],
        [
          "isobatch run mnist --steps 200 --workers 1",
          "a shorter run; the number of workers does not change the result",
        ],
        ["isobatch run mnist --set learningRate=0.0005 --out runs/slow", "another learning rate"],
        ["isobatch run my-task.json --micro-batches-per-step 8", "larger batches, the same hyperparameters"],
        ["isobatch run mnist --steps 200 --trace trace.json", "where a step's time goes; open it in ui.perfetto.dev"],
      ),
    )
    .action(async (task: string, options) => {
      const request = { path: options.trace, process: "server" };
      const { run: perform } = await traced(request, environment, () => import("../commands/run.js"));
      end(await perform(task, options, withTransport(withLogOptions(environment, options), options)));
    });
}

export function addServer(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const server = serving(program.command("server"), " (default: 127.0.0.1, the port after --listen's)")
    .option("--no-http", "no dashboard and no /metrics")
    .summary("serve a task to workers that join")
    .description("Serves a task to workers on this machine or others, and prints the command with which they join.")
    .addOption(listen({ host: "127.0.0.1", port: DEFAULT_PORT }, `127.0.0.1:${DEFAULT_PORT}`))
    .option(
      "--advertise <host:port>",
      "address at which workers reach the server, if it differs",
      address("--advertise"),
    )
    .option("--tls-cert <file>", "your own certificate chain, PEM")
    .option("--tls-key <file>", "its key, PEM")
    .option("--tls-ca <file>", "admit only clients with a certificate of this CA, PEM")
    .option(
      "--workers-awaited <n>",
      "number of workers that the first step waits for, for up to a minute",
      wholeNumber("--workers-awaited", 1, 65_536),
      1,
    )
    .option(
      "--checkpoint-every <seconds>",
      "also write a checkpoint at this interval, in addition to the task's own (0: off)",
      seconds("--checkpoint-every", WAIT_SECONDS_MAX),
      0,
    )
    .option("--token-file <file>", "file with the join token, created if missing (default: in the run directory)")
    .option("--stay", "keep answering after the run has ended or failed, until this process is stopped");
  logging(server)
    .addHelpText(
      "after",
      examples(
        ["isobatch server mnist", `for workers on this machine, on port ${DEFAULT_PORT}`],
        [`isobatch server mnist --listen 0.0.0.0:${DEFAULT_PORT}`, "for workers on other machines, encrypted"],
        [
          `isobatch server mnist --listen 0.0.0.0:${DEFAULT_PORT} --tls-cert server.pem --tls-key server.key`,
          "with your own certificate",
        ],
      ),
    )
    .action(async (task: string, options) => {
      const request = { path: options.trace, process: "server" };
      const { server: perform } = await traced(request, environment, () => import("../commands/server.js"));
      end(await perform(task, options, withLogOptions(environment, options)));
    });
}

/** The options of a command that serves a task. */
export function serving(command: Command, httpDefault = ""): Command {
  return tracing(command)
    .argument("<task>", "a built-in task's name, a .json file, or a module that exports a task")
    .option("--steps <n>", "length of the run in steps (default: the task's)", wholeNumber("--steps", 1, STEPS_MAX))
    .addOption(
      new Option("--samples <n>", "length of the run in samples (default: the task's)")
        .argParser(wholeNumber("--samples", 1, SAMPLES_MAX))
        .conflicts("steps"),
    )
    .option(
      "--micro-batches-per-step <κ>",
      "micro-batches per step: 8; or 2/worker to follow the number of workers, 2/worker:1-64 within a range (default: the task's)",
      kappaRule("--micro-batches-per-step", MICRO_BATCHES_MAX),
    )
    .option(
      "--replay-kappa <dir>",
      "take each step's micro-batches from a run directory, or from a kappa.jsonl, to repeat that run bit for bit",
    )
    .option(
      "--extend",
      "make a run longer even if its schedule ends with it: the schedule is stretched from the current sample on",
    )
    .option("--seed <n>", "seed of everything random (default: the task's)", wholeNumber("--seed", 0, SEED_MAX))
    .option(
      "--set <field=value>",
      "another field of the task, such as learningRate=0.01 or schedule.kind=constant; may be given several times",
      fieldValue("--set"),
    )
    .option("--data <path>", "folder or file of the data set (default: the task's)")
    .option("--out <dir>", "run directory; one that holds this run resumes it (default: runs/<task>)")
    .option(
      "--shards <n>",
      "server processes that hold a share of the weights each",
      wholeNumber("--shards", 1, SHARDS_MAX),
      1,
    )
    .option("--tls", "encrypt, even if only this machine reaches the server")
    .option("--insecure", "do not encrypt, even if other machines reach the server")
    .option("--http <host:port>", `address of the dashboard and /metrics${httpDefault}`, address("--http"));
}

export function listen(defaultAddress: Address, inWords: string): Option {
  return new Option("--listen <host:port>", "address on which the server listens")
    .argParser(address("--listen"))
    .default(defaultAddress, inWords);
}
