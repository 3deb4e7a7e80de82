import type { Command } from "commander";
import type { Environment } from "../environment.js";
import { examples } from "./options.js";

export function addTensorFlow(program: Command, environment: Environment, end: (exitCode: number) => void): void {
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
      const { installCommand } = await import("../commands/tensorflow.js");
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
      const { removeCommand } = await import("../commands/tensorflow.js");
      removeCommand(options, environment);
    });
}
