import type { Command } from "commander";
import { invalid } from "../../shared/errors.js";
import { DEFAULT_PORT } from "../../shared/wire/address.js";
import type { Address } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { address, seconds } from "../option-values.js";
import { WAIT_SECONDS_MAX } from "./limits.js";
import { clientOptions, examples, HERE } from "./options.js";

const serverAt = address("The server's address");
const RUN = ["--run <dir>", "its run directory on this machine, which holds the server's address and a token"] as const;

/** Commands for a running server. */
export function addControls(program: Command, environment: Environment): void {
  const asking = (name: string): Command =>
    clientOptions(program.command(name))
      .argument("[host:port]", "the server's address; without it, --run", serverAt)
      .option(...RUN);

  program
    .command("health")
    .summary("check whether a server answers")
    .description(
      "Asks a server's grpc.health.v1 whether it serves. Needs no token. For probes: exits with 0 if it does.",
    )
    .argument("<host:port>", "the server's address", address("The server's address"))
    .option("--wait <seconds>", "how long to keep trying to reach it", seconds("--wait", WAIT_SECONDS_MAX), 3)
    .option("--tls-cert <file>", "your certificate, PEM, for a server that asks for one")
    .option("--tls-key <file>", "its key, PEM")
    .addHelpText(
      "after",
      examples(
        [`isobatch health ${HERE}`, "a server on this machine"],
        [`isobatch health ${HERE} --wait 60`, "one that is just starting"],
      ),
    )
    .action(async (at: Address, options) => {
      const { health } = await import("../commands/health.js");
      await health(at, options);
    });
  asking("status")
    .summary("show the state of a run")
    .description(
      "Shows the state of a run: on a terminal a live view until the run ends or q is pressed, elsewhere once.",
    )
    .option("--once", "once, even on a terminal")
    .option("--json", "once, as a JSON object")
    .addHelpText(
      "after",
      examples(
        ["isobatch status --run runs/mnist", "the run in this directory of this machine"],
        [
          `ISOBATCH_TOKEN=… isobatch status 192.0.2.7:${DEFAULT_PORT} --json`,
          "a run on another machine, for a program",
        ],
      ),
    )
    .action(async (at: Address | undefined, options) => {
      const { status } = await import("../commands/status.js");
      await status(at, options, environment);
    });
  asking("stop")
    .summary("stop a run; it can be resumed")
    .description("Stops a run after its current step, with a checkpoint. It can be resumed.")
    .addHelpText(
      "after",
      examples(["isobatch stop --run runs/mnist", "isobatch server mnist --out runs/mnist resumes it later"]),
    )
    .action(async (at: Address | undefined, options) => {
      const { control } = await import("../commands/control.js");
      await control(at, { stop: {} }, options, environment);
    });
  asking("checkpoint")
    .summary("write a checkpoint now")
    .description("Writes a checkpoint after the current step.")
    .addHelpText("after", examples(["isobatch checkpoint --run runs/mnist", "before the machine is switched off"]))
    .action(async (at: Address | undefined, options) => {
      const { control } = await import("../commands/control.js");
      await control(at, { checkpoint: {} }, options, environment);
    });
  clientOptions(program.command("drain"))
    .summary("give a worker no more work")
    .description("Gives a worker no more work, so that its machine can be switched off.")
    .usage("[options] [host:port] <worker>")
    // The first one is optional, which commander can't express.
    .argument("[host:port]", "the server's address; without it, --run")
    .argument("[worker]", "its name, as status shows it")
    .option(...RUN)
    .addHelpText(
      "after",
      examples(["isobatch drain gpu-server-3 --run runs/mnist", "the worker finishes its work and leaves"]),
    )
    .action(async (first: string | undefined, second: string | undefined, options) => {
      const { control } = await import("../commands/control.js");
      const workerId = second ?? (options.run === undefined ? undefined : first);
      if (workerId === undefined) {
        invalid(
          "No worker is named: give the server's HOST:PORT and the worker's name, or --run DIR and the worker's name.",
        );
      }
      const at = second === undefined ? undefined : serverAt(first!);
      await control(at, { drain: { workerId } }, options, environment);
    });
}
