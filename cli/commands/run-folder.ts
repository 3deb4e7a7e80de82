/** What the command line itself reads and writes in a run directory, and how it sees that the run stands. */
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RUN_FILES, type RunningServer, type Summary } from "../../server/index.js";
import { readToken, writeTokenFile } from "../../shared/credentials/index.js";

const TOKEN_FILE = "token";

export function tokenFile(runFolder: string): string {
  return join(runFolder, TOKEN_FILE);
}

/** A run keeps its token, so that workers find the way back to a server that was started again. */
export function savedToken(file: string): string | undefined {
  return existsSync(file) ? readToken({ file }) : undefined;
}

/** Whoever reads the file meanwhile finds all of the token, or no file. */
export function saveToken(file: string, token: string): void {
  const unfinished = `${file}.${process.pid}.tmp`;
  writeTokenFile(unfinished, token);
  renameSync(unfinished, file);
}

/** What came of the run when it last ended; undefined if it never did. */
export function readSummary(runFolder: string): Summary | undefined {
  const file = join(runFolder, RUN_FILES.summary);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Summary;
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
