import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import {
  createGate,
  createToken,
  formatToken,
  hashSecret,
  type Identity,
  type MutableGate,
  type Pass,
  parseToken,
  type Role,
  readToken,
  type ServerProof,
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
 * Who gets into a run, and how its server proves itself: all of it lives in the run directory, so that a server that is
 * started again is the same to everybody.
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
  /** How tokens say that the server is known. */
  readonly server: ServerProof;
  /** Undefined: nothing is encrypted. */
  readonly tls: ServerTls | undefined;
  /** The join token as people copy it; undefined if it was revoked, or its file removed. */
  readonly joinToken: string | undefined;
  /** Whether it was made by this very start, so that it has been shown to nobody yet. */
  readonly joinTokenIsNew: boolean;
  /** Whose secret (or whole token) this is, for logins that don't come over gRPC; undefined if nobody's. */
  verify(secret: string): Identity | undefined;
  /** A token for a process that this server starts; it dies with the server. */
  passFor(name: string, role: Role): string;
  /** What is changed in the run directory counts from now on, not only when it is seen. */
  reload(): void;
  /** Writes down when tokens were last used, which otherwise happens every half minute. */
  saveUses(): void;
  close(): void;
}

/** How a server proves itself. */
export type TlsRequest =
  | { readonly kind: "none" }
  /** By a CA of its own. @see serverNames */
  | { readonly kind: "own"; readonly names: readonly string[]; readonly clientCa?: string }
  /** By certificates that were brought. */
  | { readonly kind: "brought"; readonly tls: ServerTls };

export interface SecurityOptions {
  /** The run directory. */
  readonly folder: string;
  readonly tls: TlsRequest;
  /**
   * A file outside the folder that holds the join token, which takes the place of the folder's own; made if it is
   * missing, and completed with how the server is known.
   */
  readonly joinTokenFile?: string;
  /** Tokens that others have made, admitted under these names beside what the folder holds. */
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

/** A token that is made or revoked beside a server that runs counts after this long, at the latest. */
const LOOK_MS = 250;
/** Not every file system tells when a folder has changed. */
const LOOK_HARDER_MS = 5_000;
const SAVE_USES_MS = 30_000;

/** Opens what the run directory holds, and makes what is missing. */
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
    // Shards are told of every replacement.
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
      log.warn(`When tokens were last used was not saved: ${messageOf(error)}`);
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

/** Whoever reads the file meanwhile finds all of the token, or no file. */
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

/** The token in a file of the run directory: made with the first start, then as it is, but for how the server proves itself. */
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
  // A file without an entry is of a run that was made before tokens had names.
  const secret = saved?.secret ?? createToken();
  const token = formatToken({ secret, server });
  // In this order, so that a crash in between loses nothing.
  writeTokenFile(path, token);
  addToken(own, { name, role, nowMs: Date.now(), secret });
  return { token, isNew: saved === undefined };
}
