export { type Backend, type BackendName, type Numerics, openBackend } from "./backend.js";
