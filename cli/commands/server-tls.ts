import type { TlsChoice } from "../../index.js";
import type { CertificatePaths } from "../../shared/credentials/index.js";
import { invalid } from "../../shared/errors.js";

/** The options about encryption. */
export interface ServerTlsFlags extends CertificatePaths {
  readonly tls?: boolean;
  readonly insecure?: boolean;
}

/** @throws IsobatchError `invalid_input` for flags that contradict each other */
export function tlsChoice({ tls, insecure, tlsCert, tlsKey, tlsCa }: ServerTlsFlags): TlsChoice {
  const asked = tls ? "--tls" : tlsCert !== undefined ? "--tls-cert" : tlsCa !== undefined ? "--tls-ca" : undefined;
  if (insecure && asked !== undefined) invalid(`--insecure and ${asked} contradict each other; give one of them.`);
  if (tlsCert !== undefined || tlsKey !== undefined || tlsCa !== undefined) {
    return { certFile: tlsCert, keyFile: tlsKey, clientCaFile: tlsCa };
  }
  return insecure ? false : (tls ?? "auto");
}
