import type { Logger } from "../shared/log.js";
import { type Address, isLoopback } from "../shared/wire/index.js";
import type { Security } from "./security/index.js";
import {
  type Dashboard,
  type DashboardOptions,
  type DashboardSource,
  startDashboard,
  type Verify,
} from "./viewing/dashboard/index.js";

export interface HttpOptions extends Pick<DashboardOptions, "address" | "orAnyPort"> {
  /** How a worker joins, once it is known where the server listens; `token` as people copy it, if it is known. */
  joinCommand(server: Address, token: string | undefined): string;
}

/** Starts the dashboard of a server at `server`, if it is wanted; only an admin's token may act on the run. */
export async function openDashboard(
  { http, log }: { readonly http?: HttpOptions; readonly log: Logger },
  source: DashboardSource,
  security: Security,
  server: Address,
): Promise<Dashboard | undefined> {
  if (http === undefined) return undefined;
  const verify: Verify = (secret) => {
    const identity = security.verify(secret);
    return identity && { name: identity.name, mayAct: identity.role === "admin" };
  };
  const tls = isLoopback(http.address) ? undefined : security.tls;
  const joinCommand = (): string => http.joinCommand(server, security.joinToken);
  return startDashboard({ ...http, tls, verify, source, log, joinCommand });
}
