import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import {
  createGate,
  createToken,
  formatToken,
  hashSecret,
  type MutableGate,
  type Pass,
  parseToken,
  type Role,
  readToken,
  type ServerProof,
  type TokenIdentity,
  type TokenRole,
  writeTokenFile,
} from "../../shared/credentials/index.js";
import { removeLeftover } from "../../shared/durable-file.js";
import { messageOf } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import { readRegularFile } from "../../shared/regular-file.js";
import { systemError } from "../../shared/system-errors.js";
import type { ServerTls } from "../../shared/wire/index.js";
import { ensureServerCertificate, type ServerCertificate } from "./certificates.js";
import {
  addToken,
  listTokens,
  makePrivateFolder,
  readLastUse,
  removeToken,
  tokenExists,
  tokensStamp,
  writeLastUse,
} from "./token-store.js";

/**
 * A run's tokens and its server's certificate. All of it is stored in the run directory, so that clients recognise a
 * server that is started again.
 *
 *     token                  the join token, as it was printed (0600)
 *     security/              0700
 *       admin-token          what status, stop, checkpoint and drain use with --run (0600)
 *       ca.crt, ca.key       the CA, made once
 *       server.crt, .key     the server's certificate, renewed when need be
 *       tokens/NAME.json     a token: its role, times and the hash of its secret
 *       last-use.json        by name
 */
export interface Security {
  readonly gate: MutableGate;
  /** How tokens let clients verify the server. */
  readonly server: ServerProof;
  /** Undefined if nothing is encrypted. */
  readonly tls: ServerTls | undefined;
  /** The join token as people copy it; undefined if it was revoked, or its file removed. */
  readonly joinToken: string | undefined;
  /** Whether it was made at this start, so that it has not been shown yet. */
  readonly joinTokenIsNew: boolean;
  /** The identity to which this secret (or whole token) belongs, for logins outside gRPC; undefined if none. */
  verify(secret: string): TokenIdentity | undefined;
  /** A token for a process that this server starts; it is valid as long as the server runs. */
  passFor(name: string, role: Role): string;
  /** Applies changes in the run directory at once, instead of when they are next noticed. */
  reload(): void;
  /** Saves when tokens were last used, which otherwise happens every half minute. */
  saveUses(): void;
  close(): void;
}

/** How a server proves itself. */
export type TlsRequest =
  | { readonly kind: "none" }
  /** By its own CA. @see serverNames */
  | { readonly kind: "own"; readonly names: readonly string[]; readonly clientCa?: string }
  /** By certificates that were supplied. */
  | { readonly kind: "brought"; readonly tls: ServerTls };

export interface SecurityOptions {
  /** The run directory. */
  readonly folder: string;
  readonly tls: TlsRequest;
  /**
   * A file outside the folder that holds the join token and replaces the folder's; made if it is missing, and completed
   * with the proof of the server's identity.
   */
  readonly joinTokenFile?: string;
  /** Tokens that were made elsewhere, admitted under these names in addition to the folder's. */
  readonly given?: readonly GivenToken[];
  readonly log: Logger;
}

export interface GivenToken {
  readonly name: string;
  readonly role: TokenRole;
  readonly token: string;
}

export const JOIN_TOKEN_FILE = "token";
export const SECURITY_FOLDER = "security";
export const ADMIN_TOKEN_FILE = join(SECURITY_FOLDER, "admin-token");
const JOIN_NAME = "join";
const ADMIN_NAME = "admin";

/** A token that is made or revoked in the folder of a running server takes effect after this long, at the latest. */
const LOOK_MS = 250;
/** Not every file system reports that a folder has changed. */
const LOOK_HARDER_MS = 5_000;
const SAVE_USES_MS = 30_000;

/** Opens the tokens and certificates of the run directory, and makes what is missing. */
export async function openSecurity({
  folder,
  tls: request,
  joinTokenFile,
  given = [],
  log,
}: SecurityOptions): Promise<Security> {
  const own = join(folder, SECURITY_FOLDER);
  makePrivateFolder(own);
  const certificate =
    request.kind === "own" ? await ensureServerCertificate(own, request.names, Date.now()) : undefined;
  const tls = tlsOf(request, certificate);
  const server: ServerProof =
    certificate !== undefined
      ? { kind: "ca", digest: certificate.caDigest }
      : { kind: tls === undefined ? "plain" : "certificate" };

  const lastUse = readLastUse(own);
  let usedSince = false;
  const gate = createGate({
    onUse(name) {
      lastUse[name] = Date.now();
      usedSince = true;
    },
  });
  const chosen =
    joinTokenFile !== undefined && existsSync(joinTokenFile) ? readToken({ file: joinTokenFile }) : undefined;
  const joining = keepToken(folder, JOIN_TOKEN_FILE, JOIN_NAME, "worker", server, chosen);
  if (joinTokenFile !== undefined && joining.token !== undefined && joining.token !== chosen) {
    publishToken(joinTokenFile, joining.token);
  }
  keepToken(folder, ADMIN_TOKEN_FILE, ADMIN_NAME, "admin", server);

  const passing = given.map(({ name, role, token }) => ({ name, role, hash: hashSecret(parseToken(token).secret) }));
  const processes: { name: string; role: Role; hash: string }[] = [];
  let loaded = "";
  const load = (): void => {
    const passes = [...listTokens(own), ...passing, ...processes];
    const now = JSON.stringify(
      passes.map(({ name, role, hash, expiresMs, revokedMs }: Pass) => [name, role, hash, expiresMs, revokedMs]),
    );
    // Every replacement is sent to the shards.
    if (now !== loaded) gate.replace(passes);
    loaded = now;
  };
  load();
  let stamp = tokensStamp(own);
  let lookedMs = performance.now();
  const looking = setInterval(() => {
    const now = tokensStamp(own);
    if (now === stamp && performance.now() - lookedMs < LOOK_HARDER_MS) return;
    lookedMs = performance.now();
    try {
      load();
      stamp = now;
    } catch (error) {
      log.error(`The tokens stay as they were: ${messageOf(error)}`);
    }
  }, LOOK_MS).unref();
  const saveUses = (): void => {
    if (!usedSince) return;
    usedSince = false;
    try {
      writeLastUse(own, Object.fromEntries(Object.entries(lastUse).filter(([name]) => tokenExists(own, name))));
    } catch (error) {
      log.warn(`The times of the tokens' last use were not saved: ${messageOf(error)}`);
    }
  };
  const saving = setInterval(saveUses, SAVE_USES_MS).unref();

  return {
    gate,
    server,
    tls,
    joinToken: joining.token,
    joinTokenIsNew: joining.isNew,
    verify(text) {
      const admission = gate.admit(parseToken(text).secret);
      return admission.admitted ? admission.identity : undefined;
    },
    passFor(name, role) {
      const secret = createToken();
      processes.push({ name, role, hash: hashSecret(secret) });
      load();
      return formatToken({ secret, server });
    },
    reload: load,
    saveUses,
    close() {
      clearInterval(looking);
      clearInterval(saving);
      saveUses();
      gate.close();
    },
  };
}

/** A program that reads the file meanwhile finds the whole token, or no file. */
function publishToken(file: string, token: string): void {
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    writeTokenFile(unfinished, token);
    renameSync(unfinished, file);
  } catch (error) {
    removeLeftover(unfinished);
    throw systemError(error, `write the token to --token-file ${file}`);
  }
}

function tlsOf(request: TlsRequest, own: ServerCertificate | undefined): ServerTls | undefined {
  if (request.kind === "brought") return request.tls;
  return request.kind === "own" && own ? { key: own.key, cert: own.cert, clientCa: request.clientCa } : undefined;
}

/**
 * The token in a file of the run directory: made at the first start and then kept, except for the proof of the server's
 * identity.
 */
function keepToken(
  folder: string,
  file: string,
  name: string,
  role: TokenRole,
  server: ServerProof,
  given?: string,
): { token: string | undefined; isNew: boolean } {
  const own = join(folder, SECURITY_FOLDER);
  const path = join(folder, file);
  const text = given ?? readRegularFile(path)?.trim();
  const saved = text === undefined ? undefined : parseToken(text);
  const known = listTokens(own).find((token) => token.name === name);
  const replaced = given !== undefined && known !== undefined && hashSecret(saved!.secret) !== known.hash;
  if (replaced) removeToken(own, name);
  else if (known !== undefined) {
    const good = known.revokedMs === undefined && saved !== undefined && hashSecret(saved.secret) === known.hash;
    const token = good ? formatToken({ secret: saved.secret, server }) : undefined;
    if (token !== undefined && readRegularFile(path) !== `${token}\n`) writeTokenFile(path, token);
    return { token, isNew: false };
  }
  // A file without an entry belongs to a run that was made before tokens had names.
  const secret = saved?.secret ?? createToken();
  const token = formatToken({ secret, server });
  // In this order, so that a crash in between loses nothing.
  writeTokenFile(path, token);
  addToken(own, { name, role, nowMs: Date.now(), secret });
  return { token, isNew: saved === undefined };
}
