import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { removeLeftover } from "../../shared/durable-file.js";
import { IsobatchError } from "../../shared/errors.js";
import { readRegularFile } from "../../shared/regular-file.js";
import { systemError } from "../../shared/system-errors.js";

/**
 * One server per run directory. The lock is a file that names its holder: host, process id and the start time of the
 * process, because ids are reused and the first process of every container has id 1. A lock whose holder is gone is
 * taken over. Whether a holder on another host is gone cannot be determined, so its lock must be removed by hand.
 *
 * It is put in place with a hard link, which fails if the name exists and shows a complete file if it does not.
 */
export const LOCK_FILE = "lock.json";

export interface LockHolder {
  readonly host: string;
  readonly processId: number;
  /** The kernel's count of clock ticks at the process's start; null if the system does not provide it. */
  readonly startTicks: string | null;
  /** ISO 8601, for people. */
  readonly since: string;
  /** HOST:PORT at which this machine reaches the server; absent until it listens. */
  readonly address?: string;
}

export interface Lock {
  /** Publishes the server's address in the folder. */
  showAddress(address: string): void;
  /** Releases the folder for other servers. */
  release(): void;
}

/** Releases each lock that this process holds; one listener, however many runs a program has. */
const held = new Set<() => void>();

function releaseAll(): void {
  for (const release of held) release();
}

/** Far more tries than servers that start at the same moment need. */
const TRIES_MAX = 1_000;

/** @throws {IsobatchError} `refused` while another process holds it */
export function acquireLock(runFolder: string): Lock {
  const path = join(runFolder, LOCK_FILE);
  const own = `${path}.${process.pid}.tmp`;
  const holder: LockHolder = {
    host: hostname(),
    processId: process.pid,
    startTicks: startTicksOf(process.pid) ?? null,
    since: new Date().toISOString(),
  };
  let content = JSON.stringify(holder);
  try {
    removeLeftover(own);
    writeFileSync(own, content, { flag: "wx" });
    for (let tries = 1; !tryLink(own, path); tries++) {
      if (tries > TRIES_MAX) {
        throw new IsobatchError(
          "refused",
          `${path} is being made and removed repeatedly; stop the program that does so.`,
        );
      }
      const found = readRegularFile(path);
      // Its holder has ended since.
      if (found === undefined) continue;
      const reason = heldBy(found);
      if (reason !== undefined) throw new IsobatchError("refused", `${runFolder} ${reason}`);
      // Moved aside before it is removed: another server may have seen the same dead lock and replaced it since.
      const aside = `${own}.stale`;
      removeLeftover(aside);
      if (!tryRename(path, aside)) continue;
      if (readRegularFile(aside) !== found) tryLink(aside, path);
      removeLeftover(aside);
    }
  } catch (error) {
    throw systemError(error, `lock ${runFolder}`);
  } finally {
    removeLeftover(own);
  }
  const release = (): void => {
    held.delete(release);
    if (held.size === 0) process.off("exit", releaseAll);
    try {
      if (readRegularFile(path) === content) rmSync(path, { force: true });
    } catch {
      // If another lock has replaced it, that one is not ours; and a lock whose holder is gone blocks nobody.
    }
  };
  // Released however this process ends, unless it is killed: also after a bug or a second Ctrl-C.
  if (held.size === 0) process.once("exit", releaseAll);
  held.add(release);
  return {
    showAddress(address) {
      const located = JSON.stringify({ ...holder, address } satisfies LockHolder);
      try {
        removeLeftover(own);
        writeFileSync(own, located, { flag: "wx" });
        renameSync(own, path);
        content = located;
      } catch (error) {
        throw systemError(error, `write ${path}`);
      }
    },
    release,
  };
}

/** The process that serves the folder's run, as far as this machine can determine; undefined if there is none. */
export function lockHolder(runFolder: string): LockHolder | undefined {
  const content = readRegularFile(join(runFolder, LOCK_FILE));
  return content === undefined || heldBy(content) === undefined ? undefined : (JSON.parse(content) as LockHolder);
}

/** Why a lock is valid, as the rest of a sentence that starts with the folder; undefined if its holder is gone. */
export function heldBy(content: string): string | undefined {
  let holder: Partial<LockHolder>;
  try {
    holder = JSON.parse(content);
  } catch {
    return undefined;
  }
  const { host, processId, startTicks, since } = holder;
  if (typeof processId !== "number") return undefined;
  if (host !== hostname()) {
    return `is in use by process ${processId} on ${host} since ${since}; if that one is gone, delete ${LOCK_FILE} in it.`;
  }
  const ticks = startTicksOf(processId);
  if (ticks === undefined || (ticks !== null && startTicks !== null && ticks !== startTicks)) return undefined;
  return `is in use by process ${processId} since ${since}; stop that one, or choose another folder with --out.`;
}

/** When a process started; null if the system does not provide it, undefined if there is no such process. */
function startTicksOf(processId: number): string | null | undefined {
  try {
    process.kill(processId, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return undefined;
  }
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, "utf8");
    // The second field is the program's name in parentheses and may hold anything; the start is the 22nd.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const zombie = fields[0] === "Z" || fields[0] === "X";
    return zombie ? undefined : fields[19];
  } catch {
    return null;
  }
}

function tryLink(existing: string, path: string): boolean {
  try {
    linkSync(existing, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function tryRename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
