export { createCoordinatorHandlers } from "./service.js";
