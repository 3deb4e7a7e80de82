import type { Command } from "commander";
import { DEFAULT_PORT } from "../../shared/wire/address.js";
import type { Address } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { address, seconds } from "../option-values.js";
import { WAIT_SECONDS_MAX } from "./limits.js";
import { clientOptions, examples, HERE } from "./options.js";

/** What is asked of a server that runs. */
export function addControls(program: Command, environment: Environment): void {
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
      const { health } = await import("../commands/health.js");
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
      const { status } = await import("../commands/status.js");
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
      const { control } = await import("../commands/control.js");
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
      const { control } = await import("../commands/control.js");
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
      const { control } = await import("../commands/control.js");
      await control(at, { drain: { workerId } }, options, environment);
    });
}
