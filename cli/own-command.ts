/** How this program is called where it was started, for the commands that it prints to be pasted. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Its name as package.json has it. */
const NAME = "isobatch";

/**
 * `isobatch` where a shell finds it; else the way this process was started: by npx, by npm's script, or by Node itself.
 * @param script the file that Node runs
 */
export function ownCommand(variables: Readonly<NodeJS.ProcessEnv>, script = ""): string {
  // What npm starts finds the program in npm's own addition to the path, which the shell around it does not have.
  if (variables.npm_lifecycle_event === "npx") return `npx ${NAME}`;
  if (variables.npm_lifecycle_event === NAME) return `npm run -s ${NAME} --`;
  const folders = (variables.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  if (script === "" || folders.some((folder) => isProgram(join(folder, NAME)))) return NAME;
  return `node ${shellWord(script)}`;
}

/** The text as one word of a shell, quoted where needed. */
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
