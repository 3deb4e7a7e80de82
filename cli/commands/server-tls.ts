import { serverNames, type TlsRequest } from "../../server/index.js";
import { type CertificatePaths, readCertificateFiles } from "../../shared/credentials/index.js";
import { invalid } from "../../shared/errors.js";
import { type Address, isLoopback } from "../../shared/wire/index.js";

/** What is said about encryption on the command line, as what servers and clients want to know. */
export interface ServerTlsOptions extends CertificatePaths {
  readonly listen: Address;
  readonly advertise?: Address;
  readonly http?: Address | false;
  readonly tls?: boolean;
  readonly insecure?: boolean;
}

/**
 * How a server proves itself: by one's own certificate if one is named; by one of its own CA if others can reach it, or
 * if it is asked for; otherwise not at all.
 *
 * @throws IsobatchError `invalid_input` for options that contradict each other, or files that can't be used
 */
export function tlsRequest({ listen, advertise, http, tls, insecure, ...paths }: ServerTlsOptions): TlsRequest {
  const { tlsCert, tlsCa } = paths;
  const asked = tls ? "--tls" : tlsCert !== undefined ? "--tls-cert" : tlsCa !== undefined ? "--tls-ca" : undefined;
  if (insecure && asked !== undefined) invalid(`--insecure and ${asked} contradict each other; give one of them.`);
  const { cert, key, ca: clientCa } = readCertificateFiles(paths, Date.now());
  if (cert !== undefined && key !== undefined) return { kind: "brought", tls: { cert, key, clientCa } };
  const places = http ? [listen, http] : [listen];
  if (insecure || (places.every(isLoopback) && asked === undefined)) return { kind: "none" };
  return { kind: "own", names: serverNames(places, advertise), clientCa };
}
