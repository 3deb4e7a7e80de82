export { type CertificateFiles, type CertificatePaths, readCertificateFiles } from "./certificate-files.js";
export {
  type Admission,
  createGate,
  type Gate,
  type GateOptions,
  type MutableGate,
  type Pass,
  type TokenIdentity,
} from "./gate.js";
export { AUTHORIZATION, SCHEME, sendToken } from "./interceptors.js";
export {
  checkMember,
  createLeaseKey,
  type LeaseClaims,
  leaseMac,
  type MemberClaims,
  memberSeal,
  verifyLeaseMac,
} from "./lease-mac.js";
export { readToken, type TokenSource, writeTokenFile } from "./read-token.js";
export { mayCall, type Role, TOKEN_ROLES, type TokenRole } from "./roles.js";
export {
  certificateDigest,
  createToken,
  formatToken,
  hashSecret,
  parseToken,
  type ServerProof,
  secretsEqual,
  type Token,
} from "./token.js";
