import { serverNames, type TlsRequest } from "../../server/index.js";
import { readCertificateFiles } from "../../shared/credentials/index.js";
import { type Address, isLoopback } from "../../shared/wire/index.js";
import type { TlsChoice } from "../types/run.js";

export interface TlsPlaces {
  readonly listen: Address;
  readonly dashboard: Address | undefined;
  /** Where workers reach the server, if that is not where it listens. */
  readonly advertise: Address | undefined;
}

/**
 * How a server proves itself.
 * @throws {IsobatchError} `invalid_input` for files that can't be used
 */
export function tlsRequest(choice: TlsChoice, { listen, dashboard, advertise }: TlsPlaces): TlsRequest {
  const { certFile, keyFile, clientCaFile } = typeof choice === "object" ? choice : {};
  const paths = { tlsCert: certFile, tlsKey: keyFile, tlsCa: clientCaFile };
  const { cert, key, ca: clientCa } = readCertificateFiles(paths, Date.now());
  if (cert !== undefined && key !== undefined) return { kind: "brought", tls: { cert, key, clientCa } };
  const places = dashboard === undefined ? [listen] : [listen, dashboard];
  if (choice === false || (choice === "auto" && places.every(isLoopback))) return { kind: "none" };
  return { kind: "own", names: serverNames(places, advertise), clientCa };
}
