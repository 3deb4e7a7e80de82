import { IsobatchError } from "../../../shared/errors.js";

/** @throws {IsobatchError} `refused` unless both are of the same version of Isobatch */
export function checkVersion(theirs: string, ours: string, who: string): void {
  if (theirs === ours) return;
  throw new IsobatchError(
    "refused",
    `${who} is Isobatch ${theirs || "of no version"}, the server is ${ours}; install the same on both.`,
  );
}
