import type { RunObserver } from "../../server/index.js";
import { type Address, isLoopback } from "../../shared/wire/index.js";
import type { Verify } from "./access/index.js";
import { type DashboardOptions, startDashboard } from "./listener.js";

export interface HttpOptions extends Pick<DashboardOptions, "address" | "orAnyPort"> {
  /** The command with which a worker joins the server at `server`; `token` as people copy it, if it is known. */
  joinCommand(server: Address, token: string | undefined): string;
}

/** The dashboard and /metrics of a run, while its server is up. */
export interface DashboardObserver extends RunObserver {
  /** Undefined before the server has started. */
  readonly url: string | undefined;
}

/** Only an admin's token may act on the run. The server doesn't start where the dashboard can't listen. */
export function createDashboard({ joinCommand, ...place }: HttpOptions): DashboardObserver {
  let url: string | undefined;
  return {
    name: "The dashboard",
    get url() {
      return url;
    },
    async start(run) {
      const { security, address, log } = run;
      const verify: Verify = (secret) => {
        const identity = security.verify(secret);
        return identity && { name: identity.name, mayAct: identity.role === "admin" };
      };
      const dashboard = await startDashboard({
        ...place,
        tls: isLoopback(place.address) ? undefined : security.tls,
        source: run,
        verify,
        joinCommand: () => joinCommand(address, security.joinToken),
        log,
      });
      url = dashboard.url;
      return dashboard;
    },
  };
}
