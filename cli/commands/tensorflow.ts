import { join } from "node:path";
import { installTensorFlow, removeTensorFlow } from "../../backends/tensorflow/install/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { readInstallation, tensorFlowFolder } from "../../shared/native/installation.js";
import type { Environment } from "../environment.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import { createStepDisplay } from "../progress/step-display.js";
import { table } from "../progress/table.js";

export interface InstallCommandOptions {
  readonly cuda?: boolean;
  readonly python?: string;
  readonly force?: boolean;
  readonly untried?: boolean;
}

/** Resolves with the process's exit code. */
export async function installCommand(options: InstallCommandOptions, { variables }: Environment): Promise<number> {
  const { cuda = false, python, force = false, untried } = options;
  const folder = tensorFlowFolder(variables);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  const unlisten = onInterrupts({ interrupt: stop, abort: stop, terminate: stop });
  const display = createStepDisplay(process.stdout);
  try {
    const { installation, device, version, found } = await installTensorFlow({
      folder,
      cuda,
      python,
      force,
      untried,
      display,
      env: variables,
      signal: stopping.signal,
    });
    const { variant, libraryFolder, ownEnvironment, python: interpreter } = installation;
    const backend = variant === "cuda" ? "tfjs-node-gpu" : "tfjs-node";
    const owner = ownEnvironment ? "a new environment," : "the environment of";
    display.print(
      [
        "",
        found ? "Already installed, and it works." : "Installed.",
        ...table([
          ["backend", `${backend} ${version}`],
          ["device", device],
          ["library", libraryFolder],
          ["python", `${owner} ${interpreter}`],
          ["binding", installation.binding],
        ]),
        "",
        `Workers use it by default (${backend} is tried before wasm); --backend ${backend} requires it.`,
        `To undo: isobatch tensorflow remove${cuda ? " --cuda" : ""}`,
      ].join("\n"),
    );
    return 0;
  } catch (error) {
    if (!(error instanceof IsobatchError && error.code === "interrupted")) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT_INTERRUPTED;
  } finally {
    unlisten();
  }
}

export function removeCommand({ cuda = false }: { cuda?: boolean }, { variables }: Environment): void {
  const folder = tensorFlowFolder(variables);
  const variant = cuda ? "cuda" : "cpu";
  const place = join(folder, variant);
  const python = readable(() => readInstallation(folder, variant))?.python;
  const removed = removeTensorFlow(folder, variant);
  const kept =
    removed && python !== undefined && !python.startsWith(place)
      ? ` The Python environment of ${python} is unchanged.`
      : "";
  process.stdout.write(removed ? `Removed ${place}.${kept}\n` : `There is no installation in ${place}.\n`);
}

/** A damaged installation is removed like any other. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
