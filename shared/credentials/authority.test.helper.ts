import "reflect-metadata";
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A certificate authority as somebody's own might be: for certificates that the server's code would never make. */
export interface Certificate {
  /** PEM, as is `key`. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly names: readonly string[];
  /** For a client's instead of a server's. */
  readonly client?: boolean;
  /** From now. */
  readonly fromMs?: number;
  readonly untilMs?: number;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR_MS = 3_600_000;

export async function makeAuthority() {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=Test CA ${randomBytes(4).toString("hex")}`,
    keys,
    signingAlgorithm: ALGORITHM,
    notBefore: new Date(Date.now() - 100 * 24 * HOUR_MS),
    notAfter: new Date(Date.now() + 100 * 24 * HOUR_MS),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });

  async function issue({
    names,
    client,
    fromMs = -HOUR_MS,
    untilMs = HOUR_MS,
  }: CertificateRequest): Promise<Certificate> {
    const own = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const { clientAuth, serverAuth } = x509.ExtendedKeyUsage;
    const made = await x509.X509CertificateGenerator.create({
      subject: `CN=${names[0]}`,
      issuer: certificate.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(Date.now() + fromMs),
      notAfter: new Date(Date.now() + untilMs),
      extensions: [
        new x509.ExtendedKeyUsageExtension([client ? clientAuth : serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
        ),
      ],
    });
    const key = x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", own.privateKey), "PRIVATE KEY");
    return { cert: `${made.toString("pem")}\n`, key: `${key}\n` };
  }

  return { ca: { pem: `${certificate.toString("pem")}\n`, der: new Uint8Array(certificate.rawData) }, issue };
}
