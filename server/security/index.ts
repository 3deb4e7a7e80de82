export { ensureServerCertificate, type ServerCertificate } from "./certificates.js";
export { createTokenControl } from "./control-tokens.js";
export { type NewTokenRequest, openTokens, type TokenManager } from "./manage-tokens.js";
export { serverNames } from "./names.js";
export {
  ADMIN_TOKEN_FILE,
  type GivenToken,
  JOIN_TOKEN_FILE,
  openSecurity,
  SECURITY_FOLDER,
  type Security,
  type SecurityOptions,
  type TlsRequest,
} from "./security.js";
export { addToken, listTokens, type NewToken, revokeToken, type TokenEntry } from "./token-store.js";
