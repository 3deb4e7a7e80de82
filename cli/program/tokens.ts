import type { Command } from "commander";
import { TOKEN_ROLES } from "../../shared/credentials/roles.js";
import { DEFAULT_PORT } from "../../shared/wire/address.js";
import type { Address } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { address, lifetime, oneOf } from "../option-values.js";
import { clientOptions, examples } from "./options.js";

/** `isobatch token create|list|revoke`. */
export function addTokens(program: Command, environment: Environment): void {
  const token = program
    .command("token")
    .summary("create, list and revoke tokens")
    .description(
      "Creates, lists and revokes tokens: those of a run directory (--run), whether a server runs on it or not, or those " +
        "of a running server (HOST:PORT, with an admin's token).",
    )
    .addHelpText("after", examples(["isobatch token list --run runs/mnist", "the tokens of that run"]));
  const managing = (name: string): Command => clientOptions(token.command(name));
  const place = ["[host:port]", "the server's address; without it, --run", address("The server's address")] as const;
  const run = ["--run <dir>", "the run directory"] as const;

  managing("create")
    .summary("create a token, and print it once")
    .description("Creates a token and prints it once: only its hash is stored.")
    .argument(...place)
    .option(...run)
    .option("--name <name>", "name for listing and revoking (default: the role with a number)")
    .option(
      "--role <role>",
      "worker (computes), observer (reads) or admin (everything)",
      oneOf("--role", TOKEN_ROLES),
      "worker",
    )
    .option(
      "--expires <time>",
      "how long it is valid, such as 12h or 30d (default: until revoked)",
      lifetime("--expires"),
    )
    .addHelpText(
      "after",
      examples(
        ["isobatch token create --run runs/mnist --name lab --expires 30d", "for the workers of a lab"],
        [`isobatch token create 192.0.2.7:${DEFAULT_PORT} --role observer --token-file admin`, "on a server elsewhere"],
      ),
    )
    .action(async (at: Address | undefined, options) => {
      const { createTokenCommand } = await import("../commands/token.js");
      await createTokenCommand(at, options, environment);
    });
  managing("list")
    .summary("list tokens: names, roles, times")
    .description("Lists all tokens: their roles, when they were last used, and how long they are valid.")
    .argument(...place)
    .option(...run)
    .option("--json", "as JSON")
    .addHelpText("after", examples(["isobatch token list --run runs/mnist", "the tokens of this run"]))
    .action(async (at: Address | undefined, options) => {
      const { listTokensCommand } = await import("../commands/token.js");
      await listTokensCommand(at, options, environment);
    });
  managing("revoke")
    .summary("revoke a token, and disconnect everyone who uses it")
    .description(
      "Revokes a token for good. Workers that joined with it are disconnected at once; what they computed stays.",
    )
    .argument("<name>", "the token's name, as isobatch token list shows it")
    .argument(...place)
    .option(...run)
    .addHelpText(
      "after",
      examples(["isobatch token revoke join --run runs/mnist", "the token that was printed at the first start"]),
    )
    .action(async (name: string, at: Address | undefined, options) => {
      const { revokeTokenCommand } = await import("../commands/token.js");
      await revokeTokenCommand(name, at, options, environment);
    });
}
