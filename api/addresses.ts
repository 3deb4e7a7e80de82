import { hostname, networkInterfaces } from "node:os";
import { type Address, parseAddress } from "../shared/wire/index.js";

/** An address for others: one of this machine's where the server listens on all of them. */
export function reachable({ host, port }: Address): Address {
  if (host !== "0.0.0.0" && host !== "::") return { host, port };
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outward = addresses.find(({ internal, family }) => !internal && family === "IPv4");
  return { host: outward?.address ?? hostname(), port };
}

/** @throws {IsobatchError} `invalid_input` */
export function addressOption(name: string, text: string | undefined): Address | undefined {
  return text === undefined ? undefined : parseAddress(text, name);
}
