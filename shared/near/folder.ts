/**
 * Folders in memory, through which processes of one machine find each other's numbers. Each process that shares any has
 * its own folder, which only its user can read, in a folder whose files never reach a disk:
 *
 *     /dev/shm/isobatch-0f3a…/alive      a socket on which its process listens; once the process has ended, there is no answer
 *     /dev/shm/isobatch-0f3a…/secret     a process that can read it is on this machine, and of this user
 *     /dev/shm/isobatch-0f3a…/…          the numbers
 *
 * It is removed when its process ends. The folder of a process that was killed is removed by the next process that
 * makes one: unlike a process id, the socket also works across containers, which may share the memory and nothing else.
 */
import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, rmSync, statfsSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { awaited } from "../awaited.js";

/** Where the processes of this machine that may share memory look for each other. */
export function memoryFolderOf(
  variables: Readonly<NodeJS.ProcessEnv>,
  platform: NodeJS.Platform = process.platform,
): string {
  return variables.ISOBATCH_MEMORY || (platform === "linux" ? "/dev/shm" : tmpdir());
}

export interface OwnFolder {
  readonly path: string;
  /** The last part of the path, by which others find it in the same memory folder. */
  readonly name: string;
  /** Removes the folder; mappings and open files stay valid. */
  close(): void;
}

const NAME = /^isobatch-[0-9a-f]{16}$/;
const SOCKET = "alive";
/** A folder that is older than this and has no socket was left by a process that was killed while making it. */
const MAKING_MS = 60_000;
const ANSWER_MS = 5_000;

/** The folders of this process, which are removed when it ends in any way, unless it is killed. */
const own = new Set<string>();
process.on("exit", () => {
  for (const path of own) rmSync(path, { recursive: true, force: true });
});

/**
 * Makes a folder for this process, and removes those of processes that have ended.
 * @throws the system's error if it can't be made
 */
export async function makeOwnFolder(memoryFolder: string): Promise<OwnFolder> {
  await removeStaleFolders(memoryFolder);
  const name = `isobatch-${randomBytes(8).toString("hex")}`;
  const path = join(memoryFolder, name);
  mkdirSync(path, { mode: 0o700 });
  const socket = net.createServer((connection) => connection.destroy());
  own.add(path);
  const close = (): void => {
    own.delete(path);
    rmSync(path, { recursive: true, force: true });
    socket.close();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.listen(join(path, SOCKET), resolve);
    });
  } catch (error) {
    close();
    throw error;
  }
  socket.unref();
  return { path, name, close };
}

/**
 * The path of another process's folder; a reason, as the rest of a sentence, if its name or its owner is not what it
 * should be.
 */
export function foreignFolder(memoryFolder: string, name: string): { path: string } | { reason: string } {
  if (!NAME.test(name)) return { reason: "the other side names no folder of memory" };
  const path = join(memoryFolder, name);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    return { reason: `${path} does not exist: the other side is on another machine, or does not share its memory` };
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0) {
    return { reason: `${path} is not this user's own folder` };
  }
  return { path };
}

/** Removes the folders of processes that have ended. */
export async function removeStaleFolders(memoryFolder: string): Promise<void> {
  const names = readdirSync(memoryFolder).filter((name) => NAME.test(name));
  await awaited(
    "an answer of other processes",
    Promise.all(
      names.map(async (name) => {
        const found = foreignFolder(memoryFolder, name);
        if ("path" in found && (await isGone(found.path))) rmSync(found.path, { recursive: true, force: true });
      }),
    ),
  );
}

async function isGone(folder: string): Promise<boolean> {
  const code = await new Promise<string | undefined>((resolve) => {
    const connection = net.connect(join(folder, SOCKET), () => connection.destroy());
    connection.setTimeout(ANSWER_MS, () => connection.destroy());
    connection.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    connection.once("close", () => resolve(undefined));
  });
  if (code === "ECONNREFUSED") return true;
  if (code !== "ENOENT") return false;
  const made = lstatSync(folder, { throwIfNoEntry: false });
  return made !== undefined && Date.now() - made.mtimeMs > MAKING_MS;
}

/** The size and free space of the memory folder's file system, in bytes. */
export function roomIn(memoryFolder: string): { readonly free: number; readonly total: number } {
  const { bavail, blocks, bsize } = statfsSync(memoryFolder);
  return { free: bavail * bsize, total: blocks * bsize };
}
