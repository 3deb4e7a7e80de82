import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type PeerCertificate,
  rootCertificates,
} from "node:tls";
import { ChannelCredentials, type ChannelOptions } from "@grpc/grpc-js";
import { certificateDigest, parseToken } from "../credentials/index.js";
import { IsobatchError } from "../errors.js";
import { type Address, formatAddress } from "./address.js";
import { nameCheckReason, tlsReason } from "./tls-reason.js";

/**
 * How a client verifies its server. No part of the token is sent before the server has shown a certificate from the
 * right CA for the address at which it was reached.
 *
 * With the CA's digest from the token, the CA itself is taken from the certificates that the server shows: on a
 * separate connection, the one with that digest is looked up, and from then on only this CA is trusted, on every
 * connection, including those to shards. OpenSSL then verifies as usual; no X.509 is interpreted here. (Doing it in one
 * handshake would mean verifying the chain ourselves: Node asks its caller only after OpenSSL has accepted it.)
 */
export interface Trust {
  /**
   * Verifies the server at `address`. @returns what a channel to it needs
   *
   * @throws IsobatchError `refused` if it cannot prove its identity, so that retrying is pointless; any other error if
   * it is unreachable
   */
  verify(address: Address, timeoutMs: number): Promise<{ credentials: ChannelCredentials; options: ChannelOptions }>;
}

export interface TrustOptions {
  /** The SHA-256 of the CA's certificate, base64url. */
  readonly digest?: string;
  /** PEM, instead of a digest; without both, the authorities that Node.js trusts. */
  readonly ca?: string;
  /** The client's certificate and key, for servers that require one (PEM). */
  readonly cert?: string;
  readonly key?: string;
}

/** The other side hung up; the message is the reason, as the end of a sentence. */
export class HungUpError extends Error {
  override readonly name = "HungUpError";
}
const HUNG_UP = "it hung up after the TLS handshake; the client certificate (--tls-cert) may not be of the CA it wants";

/** An admitted connection receives data at once: HTTP/2 starts with the server's settings. */
const ALPN = ["h2"];
/** A TLS server name must be a name and not an address (RFC 6066); for an address this one is sent. */
const NAME_OF_ADDRESSES = "isobatch.invalid";

/** The trust that a token and the user's files require; undefined for a server without TLS. */
export function trustOf(token: string | undefined, files: Omit<TrustOptions, "digest"> = {}): Trust | undefined {
  const { server } = parseToken(token ?? "");
  const asked = files.ca !== undefined || files.cert !== undefined;
  if (server.kind === "plain" && !asked) return undefined;
  const digest = server.kind === "ca" && files.ca === undefined ? server.digest : undefined;
  return createTrust({ ...files, digest });
}

export function createTrust({ digest, ca: given, cert, key }: TrustOptions): Trust {
  let pinned: string | undefined;

  /** The CA's certificate, from the server. */
  async function fetchCa(address: Address, timeoutMs: number): Promise<string> {
    const chain = await handshake(address, { cert, key, rejectUnauthorized: false }, timeoutMs, false);
    const ca = chain.find((der) => certificateDigest(der) === digest);
    if (ca !== undefined) return new X509Certificate(ca).toString();
    throw new IsobatchError(
      "refused",
      `The server at ${formatAddress(address)} is not the one that this token is for: none of the certificates it shows ` +
        "is the CA that the token names. Use the token that this server printed.",
    );
  }

  return {
    async verify(address, timeoutMs) {
      if (digest !== undefined) pinned ??= await fetchCa(address, timeoutMs);
      const ca = pinned ?? given ?? [...rootCertificates];
      const checkIdentity = (_name: string, shown: PeerCertificate) => checkServerIdentity(address.host, shown);
      const options: ConnectionOptions = { ca, cert, key, minVersion: "TLSv1.3", checkServerIdentity: checkIdentity };
      await handshake(address, options, timeoutMs, true);
      const context = createSecureContext({ ca, cert, key, minVersion: "TLSv1.3" });
      return {
        credentials: ChannelCredentials.createFromSecureContext(context, { checkServerIdentity: checkIdentity }),
        options: isIP(address.host) === 0 ? {} : { "grpc.ssl_target_name_override": NAME_OF_ADDRESSES },
      };
    },
  };
}

/** Encrypts without verifying the server: for requests without a token, whose answers nothing depends on. */
export function anyServer({ cert, key }: Pick<TrustOptions, "cert" | "key"> = {}): Trust {
  const context = createSecureContext({ cert, key, minVersion: "TLSv1.3" });
  return {
    verify: async ({ host }) => ({
      credentials: ChannelCredentials.createFromSecureContext(context, { rejectUnauthorized: false }),
      options: isIP(host) === 0 ? {} : { "grpc.ssl_target_name_override": NAME_OF_ADDRESSES },
    }),
  };
}

/** Whether the server at `address` speaks TLS. */
export async function speaksTls(address: Address, timeoutMs: number): Promise<boolean> {
  try {
    await handshake(address, { rejectUnauthorized: false }, timeoutMs, false);
    return true;
  } catch {
    return false;
  }
}

/**
 * The certificates (DER) that the server at `address` shows, its own first. With `admitted`, resolves only once the
 * server has accepted this client as well: TLS 1.3 refuses a client's certificate after the client's side of the
 * handshake is done.
 */
function handshake(
  address: Address,
  options: ConnectionOptions,
  timeoutMs: number,
  admitted: boolean,
): Promise<Buffer[]> {
  const { host, port } = address;
  return new Promise((resolve, reject) => {
    const servername = isIP(host) === 0 ? host : NAME_OF_ADDRESSES;
    const socket = connectTls({ ...options, host, port, servername, ALPNProtocols: ALPN });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(refusal(error, address));
    };
    const done = (): void => {
      const chain = chainOf(socket.getPeerCertificate(true));
      socket.destroy();
      resolve(chain);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error("ETIMEDOUT: it does not answer")));
    socket.once("error", fail);
    let secured = false;
    socket.once("secureConnect", () => {
      secured = true;
    });
    // A Node.js server refuses a client's certificate by closing the connection, as a server that has just died would.
    socket.once("close", () => {
      const refused = secured && options.cert !== undefined;
      fail(refused ? new HungUpError(HUNG_UP) : new Error("ECONNRESET: the connection was closed"));
    });
    if (admitted) socket.once("data", done);
    else socket.once("secureConnect", done);
  });
}

function chainOf(first: ReturnType<import("node:tls").TLSSocket["getPeerCertificate"]>): Buffer[] {
  const chain: Buffer[] = [];
  for (let shown = first as Partial<import("node:tls").DetailedPeerCertificate> | undefined; shown?.raw; ) {
    if (chain.some((der) => der.equals(shown!.raw!))) break;
    chain.push(shown.raw);
    shown = shown.issuerCertificate;
  }
  return chain;
}

function refusal(error: Error & { code?: string; cert?: PeerCertificate }, address: Address): Error {
  const reason =
    error.code === "ERR_TLS_CERT_ALTNAME_INVALID" ? nameCheckReason(address.host, error.cert) : tlsReason(error);
  if (reason === undefined) return error;
  const sentence = `The server at ${formatAddress(address)} is refused: ${reason}.`;
  return new IsobatchError("refused", sentence, { cause: error });
}
