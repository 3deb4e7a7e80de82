/**
 * Where native TensorFlow installations are stored, as `isobatch tensorflow install` makes them and the native backends
 * find them: a folder with separate installations for CPUs and for CUDA, so that making one ready never touches the
 * other.
 *
 *     FOLDER/cpu/installation.json     FOLDER/cuda/installation.json
 *     FOLDER/cpu/binding-…/            …                                  the binding and our addons, linked by absolute
 *                                                                         run path
 *     FOLDER/cpu/python-…/             …                                  a virtual environment, if one was made
 */
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { IsobatchError } from "../errors.js";
import { readRegularFile } from "../regular-file.js";
import { reasonOf } from "../system-errors.js";

export type TensorFlowVariant = "cpu" | "cuda";

const installationSchema = z.strictObject({
  /** The version of this file's format. */
  format: z.literal(1),
  variant: z.enum(["cpu", "cuda"]),
  /** The compiled tfjs_binding.node; absolute, as is every path here. */
  binding: z.string(),
  /** The folder of the package @tensorflow/tfjs-node-gpu whose binding was compiled and whose JavaScript is used. */
  packageFolder: z.string(),
  packageVersion: z.string(),
  /** What TF_Version said when the binding was verified, e.g. 2.21.0. */
  tensorflowVersion: z.string(),
  /** The wheel's folder, with libtensorflow_cc. */
  libraryFolder: z.string(),
  /** The interpreter of the environment that holds TensorFlow. */
  python: z.string(),
  /** Whether that environment was made by the installation, and is removed with it. */
  ownEnvironment: z.boolean(),
});

export type TensorFlowInstallation = z.output<typeof installationSchema>;

/** The path of our addon for sessions, next to the binding; installations by an Isobatch that had none lack it. */
export const sessionAddonOf = ({ binding }: Pick<TensorFlowInstallation, "binding">): string =>
  join(dirname(binding), "isobatch_session.node");

/** The path of our addon for the process itself, next to the binding. */
export const processAddonOf = ({ binding }: Pick<TensorFlowInstallation, "binding">): string =>
  join(dirname(binding), "isobatch_process.node");

export const INSTALLATION_FILE = "installation.json";

/**
 * The folder that holds the installations of this user, unless another is named.
 * @param variables environment variables: ISOBATCH_TENSORFLOW names another folder, XDG_DATA_HOME the folder of user
 * data
 */
export function tensorFlowFolder(variables: Readonly<NodeJS.ProcessEnv>): string {
  const { ISOBATCH_TENSORFLOW, XDG_DATA_HOME } = variables;
  return ISOBATCH_TENSORFLOW || join(XDG_DATA_HOME || join(homeFolder(), ".local", "share"), "isobatch", "tensorflow");
}

/** The user's home; "/" if there is none: a container may run under any user number. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "/";
  }
}

/** @returns undefined if there is none. @throws {IsobatchError} `damaged` if there is one that can't be read */
export function readInstallation(folder: string, variant: TensorFlowVariant): TensorFlowInstallation | undefined {
  const file = join(folder, variant, INSTALLATION_FILE);
  try {
    const text = readRegularFile(file);
    return text === undefined ? undefined : installationSchema.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
    throw new IsobatchError("damaged", `${file} can't be used (${why}); run isobatch tensorflow install again.`);
  }
}
