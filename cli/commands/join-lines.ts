/** What a server prints about joining: sentences, and commands that can be pasted as they are. Pure. */
import { type JoinPlace, joinCommand } from "../../api/run/join-command.js";
import { isLoopback } from "../../shared/wire/index.js";
import { shellWord } from "../own-command.js";

export type JoinToken =
  /** Known, and to be shown, which happens once. */
  | { readonly kind: "new"; readonly token: string }
  /** Shown before; here is the file that holds it. */
  | { readonly kind: "in file"; readonly file: string }
  /** Revoked. */
  | { readonly kind: "none"; readonly runFolder: string };

export interface JoinLine {
  readonly text: string;
  readonly isCommand: boolean;
}

export function joinLines(place: JoinPlace, token: JoinToken): JoinLine[] {
  const say = (text: string): JoinLine => ({ text, isCommand: false });
  const type = (text: string): JoinLine => ({ text, isCommand: true });
  if (token.kind === "new") return [say("workers join with"), type(joinCommand(place, token.token))];
  if (token.kind === "none") {
    return [
      say("workers join with a token, which this command makes:"),
      type(`${place.program} token create --run ${shellWord(token.runFolder)}`),
      say("and then, with the token in a file:"),
      type(joinCommand(place, undefined)),
    ];
  }
  const print = `cat ${shellWord(token.file)}`;
  const here = type(joinCommand(place, `$(${print})`));
  if (isLoopback(place.at)) return [say("workers join with"), here];
  return [
    say("workers on this machine join with"),
    here,
    say("workers on other machines join with this command, with the token in place of …"),
    type(joinCommand(place, "…")),
    say("which this command prints on this machine"),
    type(print),
  ];
}
