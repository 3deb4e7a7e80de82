import { type CertificatePaths, readCertificateFiles } from "../../shared/credentials/index.js";
import { type Trust, trustOf } from "../../shared/wire/index.js";

/** How a client knows its server, by its token and its own files; undefined without TLS. */
export function clientTrust(token: string | undefined, paths: CertificatePaths): Trust | undefined {
  return trustOf(token, readCertificateFiles(paths, Date.now()));
}
