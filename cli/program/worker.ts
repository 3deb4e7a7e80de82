import type { Command } from "commander";
import { DEFAULT_PORT } from "../../shared/wire/address.js";
import type { Address } from "../../shared/wire/index.js";
import { type Environment, withLogOptions, withTransport } from "../environment.js";
import { address, seconds, wholeNumber } from "../option-values.js";
import { traced } from "../trace.js";
import { GPUS_MAX, THREADS_MAX, WAIT_SECONDS_MAX } from "./limits.js";
import { clientOptions, examples, logging, tracing, transporting } from "./options.js";

export function addWorker(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const worker = program
    .command("worker")
    .summary("compute for a run")
    .description("Computes for a run, on this machine.")
    .addHelpText(
      "after",
      examples([`ISOBATCH_TOKEN=… isobatch worker join 192.0.2.7:${DEFAULT_PORT}`, "join the run of that server"]),
    );
  const join = worker
    .command("join")
    .summary("join a run and compute for it until it ends")
    .description("Joins a server's run and computes for it until the run ends or this process is stopped.")
    .argument("<host:port>", "the server's address", address("The server's address"))
    .option("--backend <name>", "backend to compute with (default: the first that works; see isobatch doctor)")
    .option(
      "--compute-threads <n>",
      "threads that compute (default: one per core, or per CPU of a quota; 1 on a GPU)",
      wholeNumber("--compute-threads", 1, THREADS_MAX),
    )
    .option(
      "--gpu <n>",
      "GPU to compute on: its number in isobatch doctor, from 0 (default: the first)",
      wholeNumber("--gpu", 0, GPUS_MAX),
    )
    .option("--data <dir>", "folder with a copy of the data set's files (default: the server sends the samples)")
    .option(
      "--wait <seconds>",
      "how long to keep trying to reach the server at the start",
      seconds("--wait", WAIT_SECONDS_MAX),
      30,
    )
    .option(
      "--reconnect-for <seconds>",
      "how long to keep trying to reach a server that was lost",
      seconds("--reconnect-for", WAIT_SECONDS_MAX),
      600,
    );
  logging(tracing(transporting(clientOptions(join))))
    .addHelpText(
      "after",
      `${examples(
        [`ISOBATCH_TOKEN=… isobatch worker join 192.0.2.7:${DEFAULT_PORT}`, "as the server printed it"],
        [`isobatch worker join gpu-server:${DEFAULT_PORT} --token-file token`, "with the token in a file"],
      )}\nThe join token comes from ISOBATCH_TOKEN, --token-file or, with --token -, standard input.\n`,
    )
    .action(async (at: Address, options) => {
      const request = { path: options.trace, process: "worker" };
      const { joinWorker } = await traced(request, environment, () => import("../commands/worker.js"));
      end(await joinWorker(at, options, withTransport(withLogOptions(environment, options), options)));
    });
}
