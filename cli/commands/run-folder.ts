/** What the command line itself reads and writes in a run directory, and how it sees that the run stands. */
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ADMIN_TOKEN_FILE,
  JOIN_TOKEN_FILE,
  lockHolder,
  RUN_FILES,
  type RunningServer,
  type Summary,
} from "../../server/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { readRegularFile } from "../../shared/regular-file.js";
import { type Address, parseAddress } from "../../shared/wire/index.js";

/** Where the join token of a run is. */
export function joinTokenFile(runFolder: string): string {
  return join(runFolder, JOIN_TOKEN_FILE);
}

/** Where the token is with which its owner may do everything. */
export function adminTokenFile(runFolder: string): string {
  return join(runFolder, ADMIN_TOKEN_FILE);
}

/**
 * Where this machine reaches the server that runs on the folder.
 * @throws {IsobatchError} `unavailable` if there is none, or none that can be reached yet or from here
 */
export function serverAddress(runFolder: string): Address {
  const holder = lockHolder(runFolder);
  if (holder === undefined) {
    throw new IsobatchError("unavailable", `No server runs on ${runFolder}; isobatch run or server starts one there.`);
  }
  if (holder.host !== hostname()) {
    throw new IsobatchError("unavailable", `The server of ${runFolder} runs on ${holder.host}: give its HOST:PORT.`);
  }
  if (holder.address === undefined) {
    throw new IsobatchError("unavailable", `The server of ${runFolder} does not listen yet; try again.`);
  }
  return parseAddress(holder.address, `the server of ${runFolder}`);
}

/** What came of the run when it last ended; undefined if it never did. */
export function readSummary(runFolder: string): Summary | undefined {
  try {
    const text = readRegularFile(join(runFolder, RUN_FILES.summary));
    return text === undefined ? undefined : (JSON.parse(text) as Summary);
  } catch {
    // It is written again at the end of the run; only its being there is of use here.
    return undefined;
  }
}

const POLL_MS = 20;

/** Resolves when the server has loaded a checkpoint, so that its status says at which step the run goes on. */
export async function whenRestored(server: Pick<RunningServer, "status">): Promise<void> {
  while (["gathering", "restoring"].includes(server.status().phase ?? "")) await sleep(POLL_MS);
}
