import { constants } from "node:os";
import { type ErrorCode, IsobatchError, messageOf } from "./errors.js";

/**
 * Refusals by the operating system, as sentences for a user: what happened, to what, and what to do. This table is the
 * only place that knows them. An error that is missing from it (EBADF, EFAULT, …) never happens to a correct program,
 * so it is reported as a bug.
 */
export interface SystemError {
  readonly code: ErrorCode;
  /** What happened, as the end of a sentence. */
  readonly what: string;
  /** What to do about it, a sentence. */
  readonly advice: string;
}

const row = (code: ErrorCode, what: string, advice: string): SystemError => ({ code, what, advice });

const REMOVE_IT = "Remove it, or choose another place.";
const OTHER_PLACE = "Choose another place.";
const LARGER_LIMIT = "Raise that limit and run again.";

/** The table, by `error.code`: the system's errno, or Node's own name for a limit of the machine. */
export const SYSTEM_ERRORS: Readonly<Record<string, SystemError>> = {
  ENOSPC: row("exhausted", "the disk is full", "Free some space and run again."),
  EDQUOT: row("exhausted", "the disk quota is used up", "Free some space, or ask for more, and run again."),
  EFBIG: row(
    "exhausted",
    "the file would be larger than is allowed here (ulimit -f, or the file system's own limit)",
    "Raise that limit, or choose another place.",
  ),
  EMFILE: row("exhausted", "this process has the most files open that it may (ulimit -n)", LARGER_LIMIT),
  ENFILE: row("exhausted", "this machine has the most files open that it may (fs.file-max)", LARGER_LIMIT),
  EAGAIN: row(
    "exhausted",
    "the system allows no more processes or threads (ulimit -u, or the container's limit)",
    LARGER_LIMIT,
  ),
  ERR_WORKER_INIT_FAILED: row(
    "exhausted",
    "the system allows no more threads or open files (ulimit -u and -n, or the container's limit)",
    LARGER_LIMIT,
  ),
  ENOMEM: row("exhausted", "there is not enough memory", "Free some, or raise the limit (ulimit -v), and run again."),
  ERR_WORKER_OUT_OF_MEMORY: row(
    "exhausted",
    "a thread has used up the memory that it may use",
    "Give it more (NODE_OPTIONS=--max-old-space-size=MEBIBYTES) and run again.",
  ),
  ERR_FS_FILE_TOO_LARGE: row(
    "invalid_input",
    "the file is larger than the 2 GiB that can be read at once",
    "Cut it into smaller ones.",
  ),
  EACCES: row("invalid_input", "permission is denied", "Change the permissions, or choose another place."),
  EPERM: row("invalid_input", "the system does not permit it", "Change the permissions, or choose another place."),
  EROFS: row("invalid_input", "the file system is read-only", OTHER_PLACE),
  ENOENT: row("invalid_input", "there is no such file or folder", "Check the path."),
  ENOTDIR: row("invalid_input", "something else is where its path needs a folder", REMOVE_IT),
  EISDIR: row("invalid_input", "a folder is where a file should be", REMOVE_IT),
  ERR_FS_EISDIR: row("invalid_input", "a folder is where a file should be", REMOVE_IT),
  EEXIST: row("invalid_input", "something with that name already exists", REMOVE_IT),
  ENOTEMPTY: row("invalid_input", "the folder is not empty", "Empty it, or choose another place."),
  ENAMETOOLONG: row("invalid_input", "the name is too long for the file system", "Choose a shorter one."),
  ELOOP: row("invalid_input", "its symbolic links lead in a circle", REMOVE_IT),
  ENXIO: row("invalid_input", "a socket, or a pipe without another end, is where a file should be", REMOVE_IT),
  ENODEV: row("invalid_input", "the device does not exist", OTHER_PLACE),
  ESPIPE: row("invalid_input", "a pipe is where a file should be", REMOVE_IT),
  EINVAL: row("invalid_input", "the file system does not support that", OTHER_PLACE),
  ENOTSUP: row("invalid_input", "the file system does not support that", OTHER_PLACE),
  EOPNOTSUPP: row("invalid_input", "the file system does not support that", OTHER_PLACE),
  ENOSYS: row("invalid_input", "the file system does not support that", OTHER_PLACE),
  EXDEV: row("invalid_input", "its folder spans two file systems", OTHER_PLACE),
  EMLINK: row("invalid_input", "the file system allows no more links to it", OTHER_PLACE),
  EOVERFLOW: row("invalid_input", "it is too large for the file system", OTHER_PLACE),
  EBUSY: row("unavailable", "something else is using it, e.g. as a mount point", "Release it and run again."),
  ETXTBSY: row("unavailable", "it is a program that is running", "End that and run again."),
  ESTALE: row("unavailable", "the network file system has lost it", "Mount that again and run again."),
  ENOTCONN: row("unavailable", "the file system's server is gone", "Mount that again and run again."),
  EHOSTDOWN: row("unavailable", "the file system's server is down", "Mount that again and run again."),
  ENOLCK: row("unavailable", "the file system allows no more locks", "Run again, or choose another place."),
  EIO: row("damaged", "the disk reports an error", "Check it before you run again."),
  EREMOTEIO: row("damaged", "the disk reports an error", "Check it before you run again."),
  ENODATA: row("damaged", "the disk reports an error", "Check it before you run again."),
  EUCLEAN: row("damaged", "the file system is damaged", "Check it before you run again."),
};

/** The one ENOENT that is not about a path. */
const NO_WORKING_DIRECTORY = row("invalid_input", "it has been removed", "Change to another folder and run again.");

/**
 * Turns a refusal by the operating system into a sentence; anything else that was thrown is returned unchanged.
 * @param doing what failed, e.g. `write /runs/a/task.json`; by default what the error itself says
 */
export function systemError(error: unknown, doing?: string): unknown {
  const found = rowOf(error);
  if (found === undefined) return error;
  const what = (found === NO_WORKING_DIRECTORY ? undefined : doing) ?? doingOf(error as NodeJS.ErrnoException);
  return new IsobatchError(found.code, `Can't ${what}: ${found.what}. ${found.advice}`, { cause: error });
}

/** Why something failed, as the end of a sentence: what the system refused, or the message of any other error. */
export function reasonOf(error: unknown): string {
  return rowOf(error)?.what ?? messageOf(error);
}

function rowOf(error: unknown): SystemError | undefined {
  if (!(error instanceof Error) || error instanceof IsobatchError) return undefined;
  const { syscall } = error as NodeJS.ErrnoException;
  const code = nameOf(error);
  // A socket's refusal says nothing about a file: the code that opened the connection explains it.
  if (code === undefined || SOCKET_CALLS.has(syscall ?? "")) return undefined;
  if (syscall === "uv_cwd") return NO_WORKING_DIRECTORY;
  return Object.hasOwn(SYSTEM_ERRORS, code) ? SYSTEM_ERRORS[code] : undefined;
}

/** Linux's number of EUCLEAN, which Node's constants lack. */
const EUCLEAN = 117;

/**
 * The code of an error. Node knows some errors only by number: "Unknown system error -122" is the code of a quota that
 * is used up.
 */
function nameOf({ code, errno }: NodeJS.ErrnoException): string | undefined {
  if (errno === undefined || !code?.startsWith("Unknown system error")) return code;
  if (process.platform === "linux" && errno === -EUCLEAN) return "EUCLEAN";
  return Object.entries(constants.errno).find(([, number]) => number === -errno)?.[0];
}

const SOCKET_CALLS: ReadonlySet<string> = new Set(["connect", "listen", "bind", "accept", "shutdown", "getaddrinfo"]);

const VERBS: Readonly<Record<string, string>> = {
  scandir: "read the folder",
  opendir: "read the folder",
  mkdir: "make the folder",
  unlink: "remove",
  rmdir: "remove",
  rm: "remove",
  lstat: "look at",
  stat: "look at",
  fsync: "write to the disk",
  fdatasync: "write to the disk",
  ftruncate: "shorten",
  uv_cwd: "find the working directory",
};

/** What a system call was for: "open /runs/a/task.json", "rename a to b", "start python3". */
function doingOf({ syscall, path, code, ...others }: NodeJS.ErrnoException & { dest?: string }): string {
  if (syscall === undefined) return code?.startsWith("ERR_WORKER") ? "start a thread" : "continue";
  if (syscall.startsWith("spawn")) return `start ${path ?? "a process"}`;
  const to = others.dest === undefined ? "" : ` to ${others.dest}`;
  return `${VERBS[syscall] ?? syscall}${path === undefined ? "" : ` ${path}`}${to}`;
}
