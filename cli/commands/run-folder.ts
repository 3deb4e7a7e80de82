/** What the command line itself reads and writes in a run directory, and how it sees that the run stands. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ADMIN_TOKEN_FILE, JOIN_TOKEN_FILE, RUN_FILES, type RunningServer, type Summary } from "../../server/index.js";
import { readRegularFile } from "../../shared/regular-file.js";

/** Where the join token of a run is. */
export function joinTokenFile(runFolder: string): string {
  return join(runFolder, JOIN_TOKEN_FILE);
}

/** Where the token is with which its owner may do everything. */
export function adminTokenFile(runFolder: string): string {
  return join(runFolder, ADMIN_TOKEN_FILE);
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
