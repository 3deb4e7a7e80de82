export { type Identity, refusalOf } from "./access.js";
export { createGuard, type Guard, type Verify } from "./guard.js";
