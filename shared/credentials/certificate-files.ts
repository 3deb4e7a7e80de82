import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { invalid, messageOf } from "../errors.js";
import { reasonOf } from "../system-errors.js";

/**
 * The certificate that --tls-cert, --tls-key and --tls-ca name, which is read and checked before anything is started.
 */
export interface CertificateFiles {
  /** PEM; the certificate first, then those that lead to its CA. */
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

export interface CertificatePaths {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
}

/**
 * Reads the named files.
 *
 * @param nowMs Unix time
 * @throws IsobatchError `invalid_input` if a file is missing or not PEM, if the key is not the certificate's, or if a
 *   certificate has expired or is not yet valid
 */
export function readCertificateFiles({ tlsCert, tlsKey, tlsCa }: CertificatePaths, nowMs: number): CertificateFiles {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const [given, missing] = tlsCert === undefined ? ["--tls-key", "--tls-cert"] : ["--tls-cert", "--tls-key"];
    invalid(`${given} was given without ${missing}; a certificate and its key belong together.`);
  }
  const ca = tlsCa === undefined ? undefined : readCertificates("--tls-ca", tlsCa, nowMs).pem;
  if (tlsCert === undefined || tlsKey === undefined) return { ca };
  const { pem: cert, first } = readCertificates("--tls-cert", tlsCert, nowMs);
  const pem = read("--tls-key", tlsKey);
  if (!first.checkPrivateKey(readKey(tlsKey, pem))) {
    invalid(`--tls-key ${tlsKey} is not the key of --tls-cert ${tlsCert}: they must be a pair.`);
  }
  return { cert, key: pem, ca };
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readCertificates(option: string, path: string, nowMs: number): { pem: string; first: X509Certificate } {
  const pem = read(option, path);
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    invalid(`${option} ${path} holds no certificate in PEM (-----BEGIN CERTIFICATE-----).`);
  }
  const certificates = blocks.map((block) => parse(option, path, block));
  for (const { subject, validFrom, validTo } of certificates) {
    const name = subject.replaceAll("\n", ", ") || "without a subject";
    if (Date.parse(validTo) <= nowMs) invalid(`${option} ${path}: the certificate ${name} expired on ${validTo}.`);
    if (Date.parse(validFrom) > nowMs) {
      invalid(`${option} ${path}: the certificate ${name} is not valid before ${validFrom}.`);
    }
  }
  return { pem, first: certificates[0] };
}

function parse(option: string, path: string, block: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch (error) {
    return invalid(`${option} ${path} holds a certificate that can't be read: ${messageOf(error)}.`);
  }
}

function readKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const encrypted = /ENCRYPTED/.test(pem) ? "; it is encrypted, which is not supported" : "";
    return invalid(`--tls-key ${path} holds a private key that can't be read: ${messageOf(error)}${encrypted}.`);
  }
}

function read(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return invalid(`${option} ${path} cannot be read: ${reasonOf(error)}.`);
  }
}
