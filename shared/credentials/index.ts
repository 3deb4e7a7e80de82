export { requireToken, sendToken } from "./interceptors.js";
export { createLeaseKey, type LeaseClaims, leaseMac, verifyLeaseMac } from "./lease-mac.js";
export { readToken, type TokenSource, writeTokenFile } from "./read-token.js";
export { createToken, secretsEqual } from "./token.js";
