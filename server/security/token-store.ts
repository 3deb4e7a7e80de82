import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createToken, hashSecret, type Pass, TOKEN_ROLES, type TokenRole } from "../../shared/credentials/index.js";
import { writeFileDurably } from "../../shared/durable-file.js";
import { IsobatchError, invalid } from "../../shared/errors.js";
import { makeFolders } from "../../shared/folders.js";
import { readRegularFile, regularFileExists } from "../../shared/regular-file.js";
import { systemError } from "../../shared/system-errors.js";

/**
 * Tokens, one file each. Only the SHA-256 of a secret is stored, so that nobody can join with what is on the disk. With
 * one file each, a token is made or revoked by one rename, even if other programs do so at the same time, and a running
 * server notices it in the folder. A revoked token's file is kept, so that a caller that uses it gets the reason.
 */
export interface TokenEntry extends Pass {
  readonly role: TokenRole;
  readonly createdMs: number;
  /** When it was last used, to the minute or so; undefined if never. */
  readonly lastUsedMs?: number;
}

export const TOKENS_FOLDER = "tokens";
const LAST_USE_FILE = "last-use.json";
const PRIVATE = 0o600;
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i;

/** @param folder a run's `security` folder, as in all of these */
export function tokenExists(folder: string, name: string): boolean {
  return regularFileExists(fileOf(folder, name));
}

/** @returns the secret, which is stored nowhere */
export function addToken(folder: string, { name, role, expiresMs, nowMs, secret = createToken() }: NewToken): string {
  checkName(name);
  if (tokenExists(folder, name)) {
    const old = readToken(folder, name);
    const state = old.revokedMs === undefined ? "revoke it first, or take" : "it was revoked; take";
    invalid(`A token "${name}" exists already; ${state} another --name.`);
  }
  if (expiresMs !== undefined && expiresMs <= nowMs) invalid(`The token "${name}" would have expired already.`);
  write(folder, { name, role, hash: hashSecret(secret), createdMs: nowMs, expiresMs });
  return secret;
}

export interface NewToken {
  readonly name: string;
  readonly role: TokenRole;
  /** Unix time, as is `nowMs`. */
  readonly expiresMs?: number;
  readonly nowMs: number;
  /** An existing secret, instead of a new one. */
  readonly secret?: string;
}

/** Revokes a token for good. */
export function revokeToken(folder: string, name: string, nowMs: number): void {
  checkName(name);
  if (!tokenExists(folder, name)) {
    const names = listTokens(folder).filter(({ revokedMs }) => revokedMs === undefined);
    const there = names.length === 0 ? "is none" : `are ${names.map((token) => token.name).join(", ")}`;
    invalid(`There is no token "${name}"; there ${there}.`);
  }
  const token = readToken(folder, name);
  if (token.revokedMs === undefined) write(folder, { ...token, revokedMs: nowMs });
}

/** Removes a token without a trace, for one that another token replaces. */
export function removeToken(folder: string, name: string): void {
  rmSync(fileOf(folder, name), { force: true });
}

/** All tokens that were ever made here, the oldest first. */
export function listTokens(folder: string): TokenEntry[] {
  const lastUse = readLastUse(folder);
  return namesIn(folder)
    .map((name) => ({ ...readToken(folder, name), lastUsedMs: lastUse[name] }))
    .sort((a, b) => a.createdMs - b.createdMs || a.name.localeCompare(b.name));
}

/** Changes whenever a token is made or revoked. */
export function tokensStamp(folder: string): string {
  try {
    return String(statSync(join(folder, TOKENS_FOLDER), { bigint: true }).mtimeNs);
  } catch {
    return "";
  }
}

/** @param lastUse Unix time by name */
export function writeLastUse(folder: string, lastUse: Readonly<Record<string, number>>): void {
  writeFileDurably(join(folder, LAST_USE_FILE), `${JSON.stringify(lastUse)}\n`, PRIVATE);
}

export function readLastUse(folder: string): Record<string, number> {
  try {
    return JSON.parse(readRegularFile(join(folder, LAST_USE_FILE)) ?? "{}") as Record<string, number>;
  } catch {
    // Nothing depends on it.
    return {};
  }
}

/** Makes a folder that only its owner can read. */
export function makePrivateFolder(folder: string): void {
  makeFolders(folder, 0o700);
}

function checkName(name: string): void {
  if (NAME.test(name)) return;
  invalid(`--name is "${name}"; it must be 1 to 63 letters, digits, dots, dashes or underscores.`);
}

function namesIn(folder: string): string[] {
  const tokens = join(folder, TOKENS_FOLDER);
  if (!existsSync(tokens)) return [];
  try {
    const files = readdirSync(tokens).filter((file) => file.endsWith(".json"));
    return files.map((file) => file.slice(0, -".json".length));
  } catch (error) {
    throw systemError(error, `read the folder ${tokens}`);
  }
}

function fileOf(folder: string, name: string): string {
  return join(folder, TOKENS_FOLDER, `${name}.json`);
}

function write(folder: string, { name, role, hash, createdMs, expiresMs, revokedMs }: TokenEntry): void {
  makePrivateFolder(join(folder, TOKENS_FOLDER));
  const entry = { role, hash, createdMs, expiresMs, revokedMs };
  writeFileDurably(fileOf(folder, name), `${JSON.stringify(entry, null, 2)}\n`, PRIVATE);
}

function readToken(folder: string, name: string): TokenEntry {
  const path = fileOf(folder, name);
  const damaged = (): never => {
    throw new IsobatchError("damaged", `${path} is damaged; remove it, and the token "${name}" is gone.`);
  };
  const text = readRegularFile(path) ?? damaged();
  let value: Partial<TokenEntry>;
  try {
    value = JSON.parse(text);
  } catch {
    return damaged();
  }
  const { role, hash, createdMs, expiresMs, revokedMs } = value;
  const time = (ms: unknown): boolean => ms === undefined || Number.isFinite(ms);
  const sound =
    TOKEN_ROLES.some((known) => known === role) &&
    /^[0-9a-f]{64}$/.test(String(hash)) &&
    Number.isFinite(createdMs) &&
    time(expiresMs) &&
    time(revokedMs);
  return sound ? { name, role: role!, hash: hash!, createdMs: createdMs!, expiresMs, revokedMs } : damaged();
}
