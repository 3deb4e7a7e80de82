import type { Command } from "commander";
import type { Environment } from "../environment.js";
import { examples } from "./options.js";

export function addTensorFlow(program: Command, environment: Environment, end: (exitCode: number) => void): void {
  const tensorflow = program
    .command("tensorflow")
    .summary("install or remove native TensorFlow")
    .description("Installs or removes the native backend, TensorFlow, on this machine.")
    .addHelpText("after", examples(["isobatch tensorflow install", "for this machine's CPUs; workers then use it"]));
  tensorflow
    .command("install")
    .summary("compile the binding against a current TensorFlow")
    .description(
      "Finds TensorFlow in a Python environment, or downloads it into a new one, compiles the binding against it and " +
        "tests it. Running it again verifies the existing installation.",
    )
    .option("--cuda", "for NVIDIA GPUs: the backend tfjs-node-gpu instead of tfjs-node")
    .option("--python <path>", "interpreter, or folder of a virtual environment, that has TensorFlow")
    .option("--force", "reinstall even if a working installation exists")
    .option("--untried", "skip the test, for example in an image that is built for machines with GPUs")
    .addHelpText(
      "after",
      `${examples(
        ["isobatch tensorflow install", "for this machine's CPUs"],
        ["isobatch tensorflow install --cuda", "for its GPUs"],
        ["isobatch tensorflow install --python ~/venv", "with the TensorFlow of that environment"],
      )}\nIt is installed in ISOBATCH_TENSORFLOW (default: ~/.local/share/isobatch/tensorflow). CXX names another compiler.\n`,
    )
    .action(async (options) => {
      const { installCommand } = await import("../commands/tensorflow.js");
      end(await installCommand(options, environment));
    });
  tensorflow
    .command("remove")
    .summary("undo the installation")
    .description("Removes what install created. A Python environment that existed before stays.")
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
