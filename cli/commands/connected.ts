import { type CertificatePaths, readToken } from "../../shared/credentials/index.js";
import { invalid } from "../../shared/errors.js";
import { regularFileExists } from "../../shared/regular-file.js";
import { type Address, type Connection, connect } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { clientTrust } from "./client-trust.js";
import { adminTokenFile, serverAddress } from "./run-folder.js";

/** Options of the commands that talk to a running server. */
export interface ControlAccess extends CertificatePaths {
  readonly tokenFile?: string;
  /** "-": standard input. */
  readonly token?: "-";
  /** A run directory, which holds a token for its owner. */
  readonly run?: string;
}

const CONNECT_WAIT_MS = 3_000;
/** A call that is not answered within this time has failed. */
export const CALL_DEADLINE_MS = 10_000;

/** Connects to a server, by default the one that runs on the run directory, does `work`, and disconnects. */
export async function connected<Result>(
  given: Address | undefined,
  options: ControlAccess,
  environment: Environment,
  work: (connection: Connection, address: Address) => Promise<Result>,
): Promise<Result> {
  const { token, run } = options;
  if (given === undefined && run === undefined) {
    invalid("No server is named: give its HOST:PORT or, on its machine, its run directory with --run DIR.");
  }
  const secret = readToken({
    env: environment.token,
    file: options.tokenFile ?? (run === undefined ? undefined : tokenOf(run)),
    stdin: token === "-" ? 0 : undefined,
  });
  if (secret === undefined) {
    invalid("There is no token: set ISOBATCH_TOKEN, give --token-file or, on the server's machine, --run DIR.");
  }
  const address = given ?? serverAddress(run!);
  const trust = clientTrust(secret, options);
  const connection = await connect(address, { token: secret, trust, waitMs: CONNECT_WAIT_MS });
  try {
    return await work(connection, address);
  } finally {
    connection.close();
  }
}

function tokenOf(run: string): string {
  const file = adminTokenFile(run);
  if (regularFileExists(file)) return file;
  return invalid(`--run ${run} holds no token; name the directory of a run that isobatch run or server has created.`);
}
