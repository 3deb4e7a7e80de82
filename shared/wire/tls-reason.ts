import type { PeerCertificate } from "node:tls";

/** Why a TLS handshake failed, as the end of a sentence; the texts of OpenSSL and Node.js are for programmers. */

const REASONS: readonly (readonly [code: RegExp, reason: string])[] = [
  [/CERT_HAS_EXPIRED/, "its certificate has expired"],
  [/CERT_NOT_YET_VALID/, "its certificate is not valid yet; compare the two machines' clocks"],
  [
    /SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SIGNATURE_FAILURE|INVALID_CA|CERT_UNTRUSTED/,
    "its certificate is not signed by the CA that this side trusts (--tls-ca, or the one that the token names)",
  ],
  [/CERTIFICATE_REQUIRED/, "it requires a client certificate; pass --tls-cert and --tls-key from its CA"],
  [
    /UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED|UNSUPPORTED_CERTIFICATE|DECRYPT_ERROR/,
    "it does not accept this side's client certificate (--tls-cert); it must be of the server's CA and in date",
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|HTTP_REQUEST/,
    "it does not speak TLS, and the token, or an option, asks for it; use the token that this server printed",
  ],
  [/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|NO_APPLICATION_PROTOCOL|HANDSHAKE_FAILURE/, "it speaks another TLS"],
];

/**
 * Signs of a handshake that was cut off from outside, in the error's code or, if the error is only text, in the
 * message: by a server that is being restarted, or a proxy in front of it. They say nothing about either side's TLS.
 */
const CUT_OFF =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET)|disconnected before secure TLS connection|\b(ECONNRESET|EPIPE|ETIMEDOUT)\b/;

/**
 * The reason in words. Undefined if the failure has nothing to do with TLS: nothing listens, nothing answers, or the
 * connection broke.
 */
export function tlsReason(error: Error & { code?: string; reason?: string }): string | undefined {
  if (CUT_OFF.test(error.code ?? "") || CUT_OFF.test(error.message)) return undefined;
  const text = `${error.code ?? ""} ${error.message} ${error.reason ?? ""}`.toUpperCase().replaceAll(" ", "_");
  const known = REASONS.find(([pattern]) => pattern.test(text))?.[1];
  if (known !== undefined) return known;
  if (/SSL|TLS|EPROTO|CERT/.test(text)) return `the TLS handshake failed (${error.message.trim().replace(/\.$/, "")})`;
  return undefined;
}

/** The reason if the certificate is another machine's, or this one was reached under another name. */
export function nameCheckReason(host: string, certificate: PeerCertificate | undefined): string {
  const names = (certificate?.subjectaltname ?? "").replaceAll(/DNS:|IP Address:/g, "");
  return (
    `its certificate is for ${names === "" ? "no address at all" : names}, and not for ${host}; reach it at one of ` +
    `these, or start the server with --advertise ${host}:PORT`
  );
}
