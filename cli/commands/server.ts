import { resolve } from "node:path";
import { serve } from "../../index.js";
import { type Address, formatAddress, parseAddress } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { starting } from "../interrupts.js";
import { type JoinToken, joinLines } from "./join-lines.js";
import { joinTokenFile } from "./run-folder.js";
import { follow, openReport, runOptions, type ServeFlags } from "./serve.js";

/** As commander reads them from the command line. */
export interface ServerFlags extends ServeFlags {
  readonly advertise?: Address;
  readonly workersAwaited: number;
  /** In seconds. */
  readonly checkpointEvery?: number;
  /** The file that holds the join token, or is created to hold it. */
  readonly tokenFile?: string;
  /** Whether the server keeps answering after the run has ended, until it is stopped. */
  readonly stay?: boolean;
}

/** Only the server; workers join it from any machine. */
export async function server(task: string, flags: ServerFlags, environment: Environment): Promise<number> {
  const { advertise, http, tlsCert, tlsCa, tokenFile, workersAwaited, stay } = flags;
  const report = openReport(environment);
  const options = {
    ...runOptions(flags, environment, report),
    tokenFile,
    workersAwaited,
    stay,
    checkpointEverySeconds: flags.checkpointEvery,
    advertise: advertise && formatAddress(advertise),
    dashboard: http === undefined || http === false ? http : formatAddress(http),
  };
  const started = await starting(serve(task, options));
  const { out, token, tokenIsNew, joinAddress } = started;
  const place = {
    program: environment.command,
    at: parseAddress(joinAddress, "joinAddress"),
    ownCertificate: tlsCert !== undefined,
    mutual: tlsCa !== undefined,
  };
  const shown: JoinToken =
    token === undefined
      ? { kind: "none", runFolder: resolve(out) }
      : tokenIsNew
        ? { kind: "new", token }
        : { kind: "in file", file: resolve(tokenFile ?? joinTokenFile(out)) };
  const announce = (): void => {
    for (const { text, isCommand } of joinLines(place, shown)) {
      if (isCommand) report.display.printLine(`  ${text}`);
      else report.display.print(text);
    }
  };
  return follow(started, report, { workersWait: true, stay, announce });
}
