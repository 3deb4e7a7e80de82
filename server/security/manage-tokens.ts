import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  formatToken,
  parseToken,
  type ServerProof,
  TOKEN_ROLES,
  type TokenRole,
} from "../../shared/credentials/index.js";
import { IsobatchError, invalid } from "../../shared/errors.js";
import type { Logger } from "../../shared/log.js";
import { readRegularFile } from "../../shared/regular-file.js";
import { ADMIN_TOKEN_FILE, JOIN_TOKEN_FILE, openSecurity, SECURITY_FOLDER } from "./security.js";
import { addToken, listTokens, revokeToken, type TokenEntry } from "./token-store.js";

/** Makes, lists and revokes tokens, both in a run directory and for a running server. */
export interface TokenManager {
  /** @returns the token as people copy it, this once */
  create(request: NewTokenRequest): { readonly name: string; readonly token: string };
  list(): TokenEntry[];
  revoke(name: string): void;
}

export interface NewTokenRequest {
  /** Default: the role with a number. */
  readonly name?: string;
  readonly role: string;
  readonly lastsMs?: number;
}

/** @param folder the run directory */
export function tokenManager(folder: string, server: ServerProof): TokenManager {
  const own = join(folder, SECURITY_FOLDER);
  return {
    create({ name, role: asked, lastsMs }) {
      const role: TokenRole =
        TOKEN_ROLES.find((known) => known === asked) ??
        invalid(`--role is "${asked}"; it must be one of ${TOKEN_ROLES.join(", ")}.`);
      const nowMs = Date.now();
      const expiresMs = lastsMs === undefined ? undefined : nowMs + lastsMs;
      const chosen = name ?? freeName(role, listTokens(own));
      const secret = addToken(own, { name: chosen, role, nowMs, expiresMs });
      return { name: chosen, token: formatToken({ secret, server }) };
    },
    list: () => listTokens(own),
    revoke: (name) => revokeToken(own, name, Date.now()),
  };
}

/**
 * The token manager of a run directory, whether or not a server runs on it. An empty folder is prepared: the CA and the
 * first tokens are made now, for the server that will be started on it.
 */
export async function openTokens(folder: string, log: Logger): Promise<TokenManager> {
  const files = [JOIN_TOKEN_FILE, ADMIN_TOKEN_FILE].map((name) => join(folder, name));
  const prepared = existsSync(join(folder, SECURITY_FOLDER));
  if (!prepared) {
    // The names become known when the server starts, which makes its certificate again.
    const security = await openSecurity({ folder, tls: { kind: "own", names: ["localhost"] }, log });
    security.close();
  }
  const token = files.map(readRegularFile).find((text) => text !== undefined);
  if (token === undefined) {
    throw new IsobatchError(
      "damaged",
      `${folder} has lost the files of both its first tokens, so it is not known how its server proves its identity: start the server ` +
        "once more, or ask the running one: isobatch token … HOST:PORT.",
    );
  }
  return tokenManager(folder, parseToken(token.trim()).server);
}

function freeName(role: TokenRole, tokens: readonly TokenEntry[]): string {
  const taken = new Set(tokens.map(({ name }) => name));
  let number = 1;
  while (taken.has(`${role}-${number}`)) number++;
  return `${role}-${number}`;
}
