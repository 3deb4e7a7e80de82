/** Where the dashboard and the metrics are served, from what the command line says. */
import type { Address } from "../../shared/wire/index.js";
import type { HttpOptions } from "../../viewing/index.js";

export interface HttpFlags {
  /** --http HOST:PORT; false: --no-http. */
  readonly http?: Address | false;
  readonly listen: Address;
}

/** The address that was asked for; that the other one is taken stops nothing. */
export function httpAddress({ http }: HttpFlags): Pick<HttpOptions, "address"> | undefined {
  if (http === undefined || http === false) return undefined;
  return { address: http };
}

/** Without a word about it a server has a dashboard for its own machine, on the port after its own or on any other. */
export function httpByDefault(flags: HttpFlags): Pick<HttpOptions, "address" | "orAnyPort"> | undefined {
  if (flags.http !== undefined) return httpAddress(flags);
  const { port } = flags.listen;
  return { address: { host: "127.0.0.1", port: port === 0 || port === 65_535 ? 0 : port + 1 }, orAnyPort: true };
}
