import { IsobatchError } from "./errors.js";

/**
 * Parses a file that Isobatch has written.
 * @param file its name, for the message
 * @throws {IsobatchError} `damaged` if it is not JSON
 */
export function parseWritten<T>(json: string, file: string): T {
  try {
    return JSON.parse(json) as T;
  } catch (error) {
    throw new IsobatchError("damaged", `${file} is damaged: it is not JSON.`, { cause: error });
  }
}
