import { openTokens, type TokenEntry } from "../../server/index.js";
import { invalid } from "../../shared/errors.js";
import { createLog } from "../../shared/log.js";
import {
  type Address,
  type ControlRequest,
  type ControlResponse,
  call,
  coordinatorService,
} from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { duration } from "../progress/format.js";
import { table } from "../progress/table.js";
import { CALL_DEADLINE_MS, type ControlAccess, connected } from "./connected.js";

/** The tokens of a run directory (--run) or, with an address, of the server that runs there. */
export interface TokenOptions extends ControlAccess {}

export interface CreateTokenOptions extends TokenOptions {
  readonly name?: string;
  readonly role: string;
  /** How long it lasts, in ms. */
  readonly expires?: number;
}

/** Prints the new token, and nothing else, on standard output. */
export async function createTokenCommand(
  address: Address | undefined,
  { name, role, expires: lastsMs, ...options }: CreateTokenOptions,
  environment: Environment,
): Promise<void> {
  const made =
    address === undefined
      ? (await managerOf(options)).create({ name, role, lastsMs })
      : await ask(address, { createToken: { name: name ?? "", role, lastsMs: lastsMs ?? 0 } }, options, environment);
  const until = lastsMs === undefined ? "until it is revoked" : `for ${duration(lastsMs / 1_000)}`;
  process.stderr.write(`token "${made.name}" for the role ${role}, valid ${until}; it is shown only once\n`);
  process.stdout.write(`${made.token}\n`);
}

export async function listTokensCommand(
  address: Address | undefined,
  { json, ...options }: TokenOptions & { readonly json?: boolean },
  environment: Environment,
): Promise<void> {
  const tokens =
    address === undefined
      ? (await managerOf(options)).list()
      : (await ask(address, { listTokens: {} }, options, environment)).tokens.map(entryOf);
  const shown = tokens.map(({ hash, ...token }) => token);
  process.stdout.write(
    json ? `${JSON.stringify(shown, null, 2)}\n` : `${describeTokens(tokens, Date.now()).join("\n")}\n`,
  );
}

export async function revokeTokenCommand(
  name: string,
  address: Address | undefined,
  options: TokenOptions,
  environment: Environment,
): Promise<void> {
  if (address === undefined) (await managerOf(options)).revoke(name);
  else await ask(address, { revokeToken: { name } }, options, environment);
  process.stdout.write(`The token "${name}" is revoked; everyone who used it is disconnected.\n`);
}

async function managerOf({ run }: TokenOptions) {
  if (run === undefined)
    invalid("No tokens are named: give a server's HOST:PORT, or its run directory with --run DIR.");
  return openTokens(run, createLog({ level: "silent", pretty: false }));
}

async function ask(
  address: Address,
  request: ControlRequest,
  options: TokenOptions,
  environment: Environment,
): Promise<ControlResponse> {
  return connected(address, options, environment, ({ coordinator }) =>
    call(coordinator, coordinatorService.Control, request, { deadlineMs: CALL_DEADLINE_MS }),
  );
}

type ShownToken = Omit<TokenEntry, "hash"> & { readonly hash?: string };

function entryOf({ name, role, ...times }: ControlResponse["tokens"][number]): ShownToken {
  const known = (ms: number): number | undefined => (ms === 0 ? undefined : ms);
  return {
    name,
    role: role as TokenEntry["role"],
    createdMs: times.createdMs,
    lastUsedMs: known(times.lastUsedMs),
    expiresMs: known(times.expiresMs),
    revokedMs: known(times.revokedMs),
  };
}

/** One line per token. @param nowMs Unix time */
export function describeTokens(tokens: readonly ShownToken[], nowMs: number): string[] {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace("T", " ");
  const state = ({ expiresMs, revokedMs }: ShownToken): string => {
    if (revokedMs !== undefined) return `revoked ${day(revokedMs)}`;
    if (expiresMs === undefined) return "valid until revoked";
    return expiresMs <= nowMs ? `expired ${day(expiresMs)}` : `valid until ${day(expiresMs)}`;
  };
  const rows = tokens.map((token) => [
    token.name,
    token.role,
    `created ${day(token.createdMs)}`,
    token.lastUsedMs === undefined ? "never used" : `used ${day(token.lastUsedMs)}`,
    state(token),
  ]);
  return rows.length === 0 ? ["no tokens"] : [...table(rows), "Times are UTC."];
}
