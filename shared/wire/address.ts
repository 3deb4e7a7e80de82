import { isIPv4, isIPv6 } from "node:net";
import { invalid } from "../errors.js";

export const DEFAULT_PORT = 7400;

/** Where a server listens or is reached. An IPv6 host is stored without brackets. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const HOST_NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i;
const HOST_LENGTH_MAX = 253;

/**
 * Reads HOST:PORT, HOST, [IPv6]:PORT or [IPv6]; without a port it is 7400. Port 0, "any free one", is for listening.
 * `field` names the flag or field in the error.
 */
export function parseAddress(text: string, field: string): Address {
  const match = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::(.*))?$/.exec(text);
  const expected = `expected HOST:PORT, such as 192.0.2.7:${DEFAULT_PORT} or [2001:db8::7]:${DEFAULT_PORT}`;
  if (match === null) {
    const hint = isIPv6(text) ? `; write an IPv6 address in brackets: [${text}]:${DEFAULT_PORT}` : "";
    return invalid(`${field}: "${text}" is not an address: ${expected}${hint}.`);
  }
  const [, bracketed, plain, portText] = match;
  if (bracketed !== undefined ? !isIPv6(bracketed) : plain.length > HOST_LENGTH_MAX || !HOST_NAME.test(plain)) {
    return invalid(`${field}: "${text}" has no host that can be looked up: ${expected}.`);
  }
  const port = portText === undefined ? DEFAULT_PORT : /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65_535)) {
    return invalid(`${field}: "${text}" has a port that is not a number from 0 to 65535: ${expected}.`);
  }
  return { host: bracketed ?? plain, port };
}

/** HOST:PORT, with an IPv6 host in brackets; what `parseAddress` reads. */
export function formatAddress({ host, port }: Address): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The address at which this machine reaches a server that listens there: a wildcard address cannot be dialled. */
export function localAddressOf({ host, port }: Address): Address {
  return { host: host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host, port };
}

/** Whether only this machine can reach a server that listens there. */
export function isLoopback({ host }: Pick<Address, "host">): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}
