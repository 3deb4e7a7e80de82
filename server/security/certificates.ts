import { createPrivateKey, randomBytes, type webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import { certificateDigest } from "../../shared/credentials/index.js";
import { writeFileDurably } from "../../shared/durable-file.js";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import { readRegularFile, regularFileExists } from "../../shared/regular-file.js";

/**
 * The server's own CA and certificate. The CA is made once and kept as long as the run directory, because tokens name
 * it; the server's certificate is made again at a start if it is about to expire, or lacks an address at which the
 * server is now reached. Keys are P-256 and readable only by their owner.
 */
export interface ServerCertificate {
  /** PEM. */
  readonly key: string;
  /** PEM: the server's certificate, then the CA's, so that a client finds the one that its token names. */
  readonly cert: string;
  /** SHA-256 of the CA's certificate, as tokens carry it. */
  readonly caDigest: string;
}

const DAY_MS = 86_400_000;
const CA_MS = 20 * 365 * DAY_MS;
const CERTIFICATE_MS = 2 * 365 * DAY_MS;
/** A certificate with less time left is made again. */
const RENEW_MS = 180 * DAY_MS;
/** The clocks of a cluster's machines differ. */
const BACKDATED_MS = DAY_MS;
const PRIVATE = 0o600;
const SERIAL_BYTES = 16;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * The certificate in `folder`, made if it is missing, close to its expiry or not for all of `names`.
 *
 * @param names the host names and IP addresses at which the server is reached
 * @throws IsobatchError `damaged` if the CA there is unusable: a new one would lock out every token
 */
export async function ensureServerCertificate(
  folder: string,
  names: readonly string[],
  nowMs: number,
): Promise<ServerCertificate> {
  const caFile = join(folder, "ca.crt");
  if (!regularFileExists(caFile)) await makeCa(folder, nowMs);
  const ca = readCa(folder, nowMs);
  const chain = join(folder, "server.crt");
  const keyFile = join(folder, "server.key");
  if (!isGood(chain, keyFile, ca.certificate, names, nowMs)) {
    const made = await issue(ca, names, nowMs);
    writeFileDurably(keyFile, made.key, PRIVATE);
    writeFileDurably(chain, `${made.cert}${ca.pem}`);
  }
  return {
    key: contentOf(keyFile),
    cert: contentOf(chain),
    caDigest: certificateDigest(ca.certificate.raw),
  };
}

function contentOf(path: string): string {
  const text = readRegularFile(path);
  if (text === undefined) throw new Error(`${path} is missing`);
  return text;
}

interface Ca {
  readonly certificate: X509Certificate;
  /** PEM, as is `key`. */
  readonly pem: string;
  readonly key: string;
}

function readCa(folder: string, nowMs: number): Ca {
  const damaged = (why: string): never => {
    throw new IsobatchError(
      "damaged",
      `The CA in ${folder} can't be used: ${why}. Restore ca.crt and ca.key; or remove both, and make every token again.`,
    );
  };
  try {
    const pem = contentOf(join(folder, "ca.crt"));
    const key = contentOf(join(folder, "ca.key"));
    const certificate = new X509Certificate(pem);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) damaged("ca.key is not the key of ca.crt");
    if (Date.parse(certificate.validTo) <= nowMs) damaged(`it expired on ${certificate.validTo}`);
    return { certificate, pem, key };
  } catch (error) {
    if (error instanceof IsobatchError) throw error;
    return damaged(messageOf(error).replace(/\.$/, ""));
  }
}

function isGood(chain: string, key: string, ca: X509Certificate, names: readonly string[], nowMs: number): boolean {
  try {
    const certificate = new X509Certificate(contentOf(chain));
    return (
      certificate.checkPrivateKey(createPrivateKey(contentOf(key))) &&
      certificate.verify(ca.publicKey) &&
      Date.parse(certificate.validTo) > nowMs + RENEW_MS &&
      names.every((name) => covers(certificate, name))
    );
  } catch {
    // Missing or damaged: it is made again.
    return false;
  }
}

function covers(certificate: X509Certificate, name: string): boolean {
  const found = isIP(name) === 0 ? certificate.checkHost(name, { subject: "never" }) : certificate.checkIP(name);
  return found !== undefined;
}

async function makeCa(folder: string, nowMs: number): Promise<void> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    // A unique name: OpenSSL looks up an issuer by its name.
    name: `CN=Isobatch CA ${randomBytes(8).toString("hex")}`,
    serialNumber: randomBytes(SERIAL_BYTES).toString("hex"),
    ...validity(nowMs, CA_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  writeFileDurably(join(folder, "ca.key"), await keyPem(keys.privateKey), PRIVATE);
  // The CA exists once its certificate exists.
  writeFileDurably(join(folder, "ca.crt"), `${certificate.toString("pem")}\n`);
}

async function issue(ca: Ca, names: readonly string[], nowMs: number): Promise<{ key: string; cert: string }> {
  const x509 = await loadX509();
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const issuer = new x509.X509Certificate(ca.pem);
  const pkcs8 = createPrivateKey(ca.key).export({ format: "der", type: "pkcs8" });
  const signingKey = await crypto.subtle.importKey("pkcs8", pkcs8, ALGORITHM, false, ["sign"]);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "CN=Isobatch server",
    issuer: issuer.subject,
    serialNumber: randomBytes(SERIAL_BYTES).toString("hex"),
    ...validity(nowMs, Math.min(CERTIFICATE_MS, issuer.notAfter.getTime() - nowMs)),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { key: await keyPem(keys.privateKey), cert: `${certificate.toString("pem")}\n` };
}

function validity(nowMs: number, lastsMs: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - BACKDATED_MS), notAfter: new Date(nowMs + lastsMs) };
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ format: "pem", type: "pkcs8" })
    .toString();
}

/** Loaded only when a certificate is made: most runs, those on loopback, never need it. */
async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  // Its dependencies require this import first.
  await import("reflect-metadata");
  return import("@peculiar/x509");
}
