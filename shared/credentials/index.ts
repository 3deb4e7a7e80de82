export { requireToken, sendToken } from "./interceptors.js";
export { createToken, secretsEqual } from "./token.js";
