/**
 * The command line: what may be said, and what is done about it. Each command's code is loaded when it is called for,
 * so that `--help` and a slip of the pen don't wait for TensorFlow.js.
 */
import { Argument, Command, Option } from "commander";
import { PRESETS } from "../experiment/invariance/presets.js";
import { version } from "../shared/version.js";
import { DEFAULT_PORT } from "../shared/wire/address.js";
import type { Address } from "../shared/wire/index.js";
import { SHELLS, type Shell } from "./completion/index.js";
import { type Environment, LOG_FORMATS, LOG_LEVELS, withLogOptions } from "./environment.js";
import { usageSentence } from "./failure.js";
import {
  address,
  kappaRule,
  number,
  numbers,
  oneOf,
  seconds,
  wholeNumber,
  wholeNumbers,
  words,
} from "./option-values.js";
import { addTokens } from "./program-tokens.js";

const STEPS_MAX = 1e12;
const SAMPLES_MAX = 1e15;
const WORKERS_MAX = 256;
const SHARDS_MAX = 256;
const THREADS_MAX = 256;
const GPUS_MAX = 1_023;
const WAIT_SECONDS_MAX = 86_400;
const MICRO_BATCHES_MAX = 65_536;
const SEED_MAX = 2 ** 31 - 1;
/** A server of this machine, in examples. */
const HERE = `127.0.0.1:${DEFAULT_PORT}`;

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
  addTokens(program, environment, { clientOptions, examples });
  addExperiment(program, environment, end);
  addReaders(program, environment);
  addTensorFlow(program, environment, end);
  addCompletion(program);
  configure(program);
  return program;
}

function addRun(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const run = serving(program.command("run"))
    .summary("train a task on a whole cluster on this machine")
    .description("Trains a task on a cluster on this machine: a server and workers, each in a process of its own.")
    .option(
      "--workers <n>",
      "worker processes (default: 2; one a GPU, where they compute on GPUs)",
      wholeNumber("--workers", 1, WORKERS_MAX),
    )
    .option("--backend <name>", "what the workers compute with (default: the first that starts; see isobatch doctor)")
    .option(
      "--compute-threads <n>",
      "threads of each worker (default: the cores, divided among the workers; 1 on a GPU)",
      wholeNumber("--compute-threads", 1, THREADS_MAX),
    )
    .addOption(listen({ host: "127.0.0.1", port: 0 }, "127.0.0.1, any free port"));
  logging(run)
    .addHelpText(
      "after",
      examples(
        ["isobatch run mnist", "a built-in task, on 2 workers"],
        ["isobatch run mnist --steps 200 --workers 1", "shorter; the same bits however many workers there are"],
        ["isobatch run my-task.json --micro-batches-per-step 8", "larger batches, the same hyperparameters"],
      ),
    )
    .action(async (task: string, options) => {
      const { run: perform } = await import("./commands/run.js");
      end(await perform(task, options, withLogOptions(environment, options)));
    });
}

function addServer(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const server = serving(program.command("server"), " (default: 127.0.0.1, the port after --listen's)")
    .option("--no-http", "no dashboard and no /metrics")
    .summary("serve a task to workers that join")
    .description("Serves a task to workers that join from this machine or others, and prints how they do.")
    .addOption(listen({ host: "127.0.0.1", port: DEFAULT_PORT }, `127.0.0.1:${DEFAULT_PORT}`))
    .option("--advertise <host:port>", "where workers reach the server, if elsewhere", address("--advertise"))
    .option("--tls-cert <file>", "your own certificate, PEM, with those that lead to its CA")
    .option("--tls-key <file>", "its key, PEM")
    .option("--tls-ca <file>", "admit only clients with a certificate of this CA, PEM")
    .option(
      "--workers-awaited <n>",
      "the first step waits for this many, for a minute at most",
      wholeNumber("--workers-awaited", 1, 65_536),
      1,
    )
    .option(
      "--checkpoint-every <seconds>",
      "a checkpoint after so long too, beside those of the task (0: only those)",
      seconds("--checkpoint-every", WAIT_SECONDS_MAX),
      0,
    )
    .option("--token-file <file>", "a file with the join token, made if it is missing (default: in the run directory)")
    .option("--stay", "when the run has ended, go on answering until this process is asked to end");
  logging(server)
    .addHelpText(
      "after",
      examples(
        ["isobatch server mnist", `for workers of this machine, on port ${DEFAULT_PORT}`],
        [`isobatch server mnist --listen 0.0.0.0:${DEFAULT_PORT}`, "for workers of other machines, encrypted"],
        [
          `isobatch server mnist --listen 0.0.0.0:${DEFAULT_PORT} --tls-cert server.pem --tls-key server.key`,
          "your own certificate",
        ],
      ),
    )
    .action(async (task: string, options) => {
      const { server: perform } = await import("./commands/server.js");
      end(await perform(task, options, withLogOptions(environment, options)));
    });
}

/** The options of whatever logs on standard error. */
function logging(command: Command): Command {
  return command
    .addOption(
      new Option("--log-level <name>", "the least severe messages to log (default: ISOBATCH_LOG)")
        .choices(LOG_LEVELS)
        .argParser(oneOf("--log-level", LOG_LEVELS)),
    )
    .addOption(
      new Option("--log-format <name>", "of the log (default: pretty on a terminal, json elsewhere)")
        .choices(LOG_FORMATS)
        .argParser(oneOf("--log-format", LOG_FORMATS)),
    );
}

/** The options of whatever serves a task. */
function serving(command: Command, httpDefault = ""): Command {
  return command
    .argument("<task>", "a built-in task's name, a .json file, or a module that exports defineTask({ … })")
    .option("--steps <n>", "length of the run (default: the task's)", wholeNumber("--steps", 1, STEPS_MAX))
    .addOption(
      new Option("--samples <n>", "the same in samples")
        .argParser(wholeNumber("--samples", 1, SAMPLES_MAX))
        .conflicts("steps"),
    )
    .option(
      "--micro-batches-per-step <κ>",
      "micro-batches in a step: 8, or 2/worker to follow the workers, 2/worker:1-64 within a range (default: the task's)",
      kappaRule("--micro-batches-per-step", MICRO_BATCHES_MAX),
    )
    .option(
      "--replay-kappa <dir>",
      "take each step's micro-batches from a run directory, or the kappa.jsonl in one, and so leave that run's bits",
    )
    .option("--seed <n>", "of all that is random (default: the task's)", wholeNumber("--seed", 0, SEED_MAX))
    .option("--data <path>", "the data set's folder or file (default: the task's)")
    .option("--out <dir>", "the run directory; one that holds this run goes on (default: runs/<task>)")
    .option("--shards <n>", "server processes that share the weights", wholeNumber("--shards", 1, SHARDS_MAX), 1)
    .option("--tls", "encrypt, even where only this machine reaches the server")
    .option("--insecure", "do not encrypt, even where other machines reach the server")
    .option("--http <host:port>", `where the dashboard and /metrics are served${httpDefault}`, address("--http"));
}

function listen(byDefault: Address, inWords: string): Option {
  return new Option("--listen <host:port>", "where the server listens")
    .argParser(address("--listen"))
    .default(byDefault, inWords);
}

function addWorker(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const worker = program
    .command("worker")
    .summary("compute for a run")
    .description("Computes for a run.")
    .addHelpText(
      "after",
      examples([`ISOBATCH_TOKEN=… isobatch worker join 192.0.2.7:${DEFAULT_PORT}`, "join the run of that server"]),
    );
  const join = worker
    .command("join")
    .summary("join a run and compute for it until it ends")
    .description("Joins the run of a server, and computes for it until it ends or this process is asked to leave.")
    .argument("<host:port>", "of the server", address("The server's address"))
    .option("--backend <name>", "what to compute with (default: the first that starts; see isobatch doctor)")
    .option(
      "--compute-threads <n>",
      "threads that compute (default: one a core; 1 on a GPU)",
      wholeNumber("--compute-threads", 1, THREADS_MAX),
    )
    .option(
      "--gpu <n>",
      "the GPU to compute on: its number in isobatch doctor, from 0 (default: the first)",
      wholeNumber("--gpu", 0, GPUS_MAX),
    )
    .option("--data <dir>", "a copy of the data set's files; without it the server sends the samples")
    .option("--wait <seconds>", "how long to try to reach the server at first", seconds("--wait", WAIT_SECONDS_MAX), 30)
    .option(
      "--reconnect-for <seconds>",
      "how long to look for a server that is gone",
      seconds("--reconnect-for", WAIT_SECONDS_MAX),
      600,
    )
    .addOption(new Option("--supervised").hideHelp());
  logging(clientOptions(join))
    .addHelpText(
      "after",
      `${examples(
        [`ISOBATCH_TOKEN=… isobatch worker join 192.0.2.7:${DEFAULT_PORT}`, "as the server printed it"],
        [`isobatch worker join gpu-server:${DEFAULT_PORT} --token-file token`, "with the token in a file"],
      )}\nThe join token comes from ISOBATCH_TOKEN, --token-file or standard input.\n`,
    )
    .action(async (at: Address, options) => {
      const { joinWorker } = await import("./commands/worker.js");
      end(await joinWorker(at, options, withLogOptions(environment, options)));
    });
}

function addShard(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  program
    .command("shard", { hidden: true })
    .description("One of a server's further processes; isobatch server starts it.")
    .requiredOption("--index <n>", "its number, from 1", wholeNumber("--index", 1, SHARDS_MAX))
    .requiredOption("--coordinator <host:port>", "the first process", address("--coordinator"))
    .requiredOption("--out <dir>", "the run directory")
    .requiredOption("--listen <host:port>", "where it listens", address("--listen"))
    .option("--tls-cert <file>", "what it shows to workers")
    .option("--tls-key <file>", "its key")
    .option("--tls-ca <file>", "admit only clients with a certificate of this CA")
    .addHelpText(
      "after",
      examples([
        "ISOBATCH_TOKEN=… isobatch shard --index 1 --coordinator 127.0.0.1:7400 --out runs/mnist --listen 127.0.0.1:0",
        "as isobatch server mnist --shards 2 starts it",
      ]),
    )
    .action(async (options) => {
      const { shard } = await import("./commands/shard.js");
      end(await shard(options, environment));
    });
}

/** What is asked of a server that runs. */
function addControls(program: Command, environment: Environment): void {
  const asking = (name: string): Command =>
    clientOptions(program.command(name))
      .argument("<host:port>", "of the server", address("The server's address"))
      .option("--run <dir>", "the run directory, which holds a token for its owner");

  program
    .command("health")
    .summary("tell whether a server answers")
    .description("Asks a server's grpc.health.v1 whether it serves; needs no token. For probes: it exits with 0 if so.")
    .argument("<host:port>", "of the server", address("The server's address"))
    .option("--wait <seconds>", "how long to try to reach it", seconds("--wait", WAIT_SECONDS_MAX), 3)
    .option("--tls-cert <file>", "your certificate, PEM, for a server that asks for one")
    .option("--tls-key <file>", "its key, PEM")
    .addHelpText(
      "after",
      examples(
        [`isobatch health ${HERE}`, "of a server of this machine"],
        [`isobatch health ${HERE} --wait 60`, "also of one that is just starting"],
      ),
    )
    .action(async (at: Address, options) => {
      const { health } = await import("./commands/health.js");
      await health(at, options);
    });
  asking("status")
    .summary("show how a run stands")
    .description(
      "Shows how a run stands: on a terminal a view that is kept up to date until the run ends or q is pressed, " +
        "elsewhere once.",
    )
    .option("--once", "once, on a terminal too")
    .option("--json", "once, as a JSON object")
    .addHelpText(
      "after",
      examples(
        [
          `isobatch status ${HERE} --run runs/mnist`,
          "of a server of this machine, with the token of its run directory",
        ],
        [`ISOBATCH_TOKEN=… isobatch status 192.0.2.7:${DEFAULT_PORT} --json`, "of another machine's, for a program"],
      ),
    )
    .action(async (at: Address, options) => {
      const { status } = await import("./commands/status.js");
      await status(at, options, environment);
    });
  asking("stop")
    .summary("end a run; it can go on later")
    .description("Ends a run after its step and with a checkpoint; it can go on later.")
    .addHelpText(
      "after",
      examples([`isobatch stop ${HERE} --run runs/mnist`, "isobatch server mnist --out runs/mnist goes on later"]),
    )
    .action(async (at: Address, options) => {
      const { control } = await import("./commands/control.js");
      await control(at, { stop: {} }, options, environment);
    });
  asking("checkpoint")
    .summary("write a checkpoint now")
    .description("Writes a checkpoint after the present step.")
    .addHelpText(
      "after",
      examples([`isobatch checkpoint ${HERE} --run runs/mnist`, "before the machine is switched off"]),
    )
    .action(async (at: Address, options) => {
      const { control } = await import("./commands/control.js");
      await control(at, { checkpoint: {} }, options, environment);
    });
  asking("drain")
    .summary("give a worker no more work")
    .description("Gives a worker no more work, so that it can be switched off.")
    .argument("<worker>", "its name, as status tells it")
    .addHelpText(
      "after",
      examples([`isobatch drain ${HERE} gpu-server-3 --run runs/mnist`, "the worker finishes what it has and leaves"]),
    )
    .action(async (at: Address, workerId: string, options) => {
      const { control } = await import("./commands/control.js");
      await control(at, { drain: { workerId } }, options, environment);
    });
}

/** Of whoever connects to a server. */
function clientOptions(command: Command): Command {
  return command
    .option("--token-file <file>", "a file with the token")
    .option("--token <->", "read the token from standard input", oneOf("--token", ["-"]))
    .option("--tls-ca <file>", "the CA of the server's certificate, PEM, if it has its owner's")
    .option("--tls-cert <file>", "your certificate, PEM, for a server that asks for one")
    .option("--tls-key <file>", "its key, PEM");
}

function addExperiment(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const experiment = program
    .command("experiment")
    .summary("compare optimizers and batch sizes")
    .description("Trains many runs that differ in one thing, and tells what it changes.")
    .addHelpText(
      "after",
      examples(["isobatch experiment invariance --preset quick", "does the batch size change the training?"]),
    );
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
    .option(
      "--processes <n>",
      "runs at once (default: one a core; on GPUs, one a GPU)",
      wholeNumber("--processes", 1, WORKERS_MAX),
    )
    .option("--backend <name>", "what to compute with (default: the first that starts; see isobatch doctor)")
    .option("--out <dir>", "where the results go (default: runs/invariance-<name>)")
    .addHelpText(
      "after",
      examples(
        ["isobatch experiment invariance --preset quick", "a first look, in a minute"],
        [
          "isobatch experiment invariance --task mnist --kappa 1,4,16 --lr 1e-4,1e-3 --arms invariant,standard --backend wasm",
          "a task of one's own choice",
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
      const { invariance } = await import("./commands/experiment.js");
      end(await invariance(options, environment));
    });
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
      const { elastic } = await import("./commands/elastic.js");
      end(await elastic(options, environment));
    });
  experiment
    .command("train-runs", { hidden: true })
    .description("One of an experiment's processes; isobatch experiment starts it.")
    .requiredOption("--backend <name>", "what to compute with")
    .addHelpText(
      "after",
      examples(["isobatch experiment train-runs --backend wasm", "as isobatch experiment starts it"]),
    )
    .action(async (options) => {
      const { trainRuns } = await import("./commands/train-runs.js");
      await trainRuns(options);
    });
}

/** What needs no server. */
function addReaders(program: Command, environment: Environment): void {
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
      const { evaluate } = await import("./commands/evaluate.js");
      await evaluate(folder, options);
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
      const { exportModel } = await import("./commands/export.js");
      await exportModel(folder, options);
    });
  program
    .command("samples")
    .summary("print the sample numbers of a micro-batch")
    .description("Prints the numbers of a micro-batch's samples, one a line, so that a run can be replayed elsewhere.")
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
      const { samples } = await import("./commands/samples.js");
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
      const { doctor } = await import("./commands/doctor.js");
      await doctor(options, environment);
    });
}

function addTensorFlow(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const tensorflow = program
    .command("tensorflow")
    .summary("make the native backend ready")
    .description("Makes the native backend, TensorFlow, ready on this machine.")
    .addHelpText("after", examples(["isobatch tensorflow install", "for this machine's CPUs; workers then take it"]));
  tensorflow
    .command("install")
    .summary("compile the binding against a current TensorFlow")
    .description(
      "Finds a TensorFlow in a Python environment, or gets one in an environment of its own, compiles the binding " +
        "against it and computes on it. Run again, it looks whether all is well.",
    )
    .option("--cuda", "for NVIDIA GPUs: the backend tfjs-node-gpu instead of tfjs-node")
    .option("--python <path>", "an interpreter, or the folder of a virtual environment, that has TensorFlow")
    .option("--force", "anew, though there is one that works")
    .option("--untried", "without computing on it, as where an image is built for machines with GPUs")
    .addHelpText(
      "after",
      `${examples(
        ["isobatch tensorflow install", "for this machine's CPUs"],
        ["isobatch tensorflow install --cuda", "for its GPUs"],
        ["isobatch tensorflow install --python ~/venv", "against the TensorFlow of that environment"],
      )}\nIt goes to ISOBATCH_TENSORFLOW (default: ~/.local/share/isobatch/tensorflow). CXX names another compiler.\n`,
    )
    .action(async (options) => {
      const { installCommand } = await import("./commands/tensorflow.js");
      end(await installCommand(options, environment));
    });
  tensorflow
    .command("remove")
    .summary("undo the installation")
    .description("Removes what install made. A Python environment that was there before stays.")
    .option("--cuda", "the one for NVIDIA GPUs")
    .addHelpText(
      "after",
      examples(
        ["isobatch tensorflow remove", "the one for CPUs"],
        ["isobatch tensorflow remove --cuda", "the one for NVIDIA GPUs"],
      ),
    )
    .action(async (options) => {
      const { removeCommand } = await import("./commands/tensorflow.js");
      removeCommand(options, environment);
    });
}

function addCompletion(program: Command): void {
  program
    .command("completion")
    .summary("make a shell complete command lines")
    .description("Prints a script that makes a shell complete the commands, options and values of isobatch.")
    .addArgument(new Argument("<shell>").choices(SHELLS).argParser(oneOf("The shell", SHELLS)))
    .addHelpText(
      "after",
      examples(
        ["source <(isobatch completion bash)", "for this bash; in ~/.bashrc for all"],
        ["source <(isobatch completion zsh)", "in ~/.zshrc, after compinit"],
        ["isobatch completion fish > ~/.config/fish/completions/isobatch.fish", "for all fish to come"],
      ),
    )
    .action(async (shell: Shell) => {
      const { completion } = await import("./commands/completion.js");
      completion(shell, program);
    });
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

function examples(...rows: (readonly [command: string, meaning: string])[]): string {
  return `\nExamples:\n${rows.map(([command, meaning]) => `  $ ${command}\n      ${meaning}\n`).join("")}`;
}
