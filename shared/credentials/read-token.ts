import { closeSync, fchmodSync, readFileSync, writeFileSync } from "node:fs";
import { invalid } from "../errors.js";
import { openRegularFile } from "../regular-file.js";
import { reasonOf, systemError } from "../system-errors.js";

/**
 * A token is never given on a command line, where every user of the machine can read it: it comes from the environment,
 * a file or standard input.
 */
export interface TokenSource {
  /** The value of ISOBATCH_TOKEN. */
  readonly env?: string;
  /** A path ("--token-file F"). */
  readonly file?: string;
  /** Standard input ("--token -"): its file descriptor, 0. */
  readonly stdin?: number;
}

const TOKEN_LENGTH_MAX = 4_096;

/**
 * The token from the first source that is given: file, standard input, environment; undefined if none is.
 *
 * @throws {IsobatchError} `invalid_input` if the source can't be read, or is not a single visible word
 */
export function readToken({ env, file, stdin }: TokenSource): string | undefined {
  if (file !== undefined) return tokenIn(read(file, `--token-file ${file}`), `--token-file ${file}`);
  if (stdin !== undefined) return tokenIn(read(stdin, "--token -"), "--token -");
  if (env !== undefined && env !== "") return tokenIn(env, "ISOBATCH_TOKEN");
  return undefined;
}

/** Writes the token so that only this user can read it, even if the file existed. */
export function writeTokenFile(file: string, token: string): void {
  try {
    const descriptor = openRegularFile(file, "replace", 0o600);
    try {
      fchmodSync(descriptor, 0o600);
      writeFileSync(descriptor, `${token}\n`);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw systemError(error, `write ${file}`);
  }
}

function read(source: string | number, field: string): string {
  try {
    return readFileSync(source, "utf8");
  } catch (error) {
    return invalid(`${field}: the token cannot be read: ${reasonOf(error)}.`);
  }
}

function tokenIn(text: string, field: string): string {
  const token = text.trim();
  if (token === "") invalid(`${field}: there is no token in it; expected what the server printed, isobatch_….`);
  if (token.length > TOKEN_LENGTH_MAX || !/^[\x21-\x7e]+$/.test(token)) {
    invalid(`${field}: that is not a token; expected one word of at most ${TOKEN_LENGTH_MAX} visible characters.`);
  }
  return token;
}
