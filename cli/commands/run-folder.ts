/** What the command line reads from a run directory. */
import { hostname } from "node:os";
import { join } from "node:path";
import { ADMIN_TOKEN_FILE, JOIN_TOKEN_FILE, lockHolder } from "../../server/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { type Address, parseAddress } from "../../shared/wire/index.js";

/** The file with a run's join token. */
export function joinTokenFile(runFolder: string): string {
  return join(runFolder, JOIN_TOKEN_FILE);
}

/** The file with the admin token, which allows its owner everything. */
export function adminTokenFile(runFolder: string): string {
  return join(runFolder, ADMIN_TOKEN_FILE);
}

/**
 * The address at which this machine reaches the server that runs on the folder.
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
