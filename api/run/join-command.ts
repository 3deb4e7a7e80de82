import { type Address, formatAddress } from "../../shared/wire/index.js";

/** Where and how workers join. */
export interface JoinPlace {
  /** How the program is called on a command line. */
  readonly program: string;
  /** Where workers reach the server. */
  readonly at: Address;
  /** Whether the server shows its owner's certificate, which workers need the CA of. */
  readonly ownCertificate: boolean;
  /** Whether workers must show a certificate. */
  readonly mutual: boolean;
}

/** @param token a word for the shell; undefined: it is in a file whose name is not known */
export function joinCommand(place: JoinPlace, token: string | undefined): string {
  const { program, at, ownCertificate, mutual } = place;
  const files = `${ownCertificate ? " --tls-ca FILE" : ""}${mutual ? " --tls-cert FILE --tls-key FILE" : ""}`;
  const join = `${program} worker join ${formatAddress(at)}`;
  return token === undefined ? `${join} --token-file FILE${files}` : `ISOBATCH_TOKEN=${token} ${join}${files}`;
}
