import { hostname, networkInterfaces } from "node:os";
import type { Address } from "../../shared/wire/index.js";

/**
 * All names and addresses at which a server may be reached, for its certificate: without duplicates, in a fixed order.
 *
 * @param listen the addresses on which it listens
 */
export function serverNames(listen: readonly Address[], advertise: Address | undefined): string[] {
  const everywhere = listen.some(({ host }) => host === "0.0.0.0" || host === "::");
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const names = [
    ...(advertise === undefined ? [] : [advertise.host]),
    ...listen.map(({ host }) => host).filter((host) => host !== "0.0.0.0" && host !== "::"),
    ...(everywhere ? addresses.map(({ address }) => address.replace(/%.*/, "")) : []),
    ...["localhost", "127.0.0.1", "::1", hostname()],
  ];
  return [...new Set(names.map((name) => name.replace(/\.$/, "").toLowerCase()))];
}
