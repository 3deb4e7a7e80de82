/** The command by which this program was started, for printed commands that can be pasted. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The program's name in package.json. */
const NAME = "isobatch";

/**
 * `isobatch` where a shell finds it; else the way this process was started: by npx, by npm's script, or by Node itself.
 * @param script the file that Node runs
 */
export function ownCommand(variables: Readonly<NodeJS.ProcessEnv>, script = ""): string {
  // npm adds its own folders to the path of what it starts; the surrounding shell does not have them.
  if (variables.npm_lifecycle_event === "npx") return `npx ${NAME}`;
  if (variables.npm_lifecycle_event === NAME) return `npm run -s ${NAME} --`;
  const folders = (variables.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  if (script === "" || folders.some((folder) => isProgram(join(folder, NAME)))) return NAME;
  return `node ${shellWord(script)}`;
}

/** The text as one shell word, quoted if needed. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
