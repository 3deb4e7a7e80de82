export { trainInProcess } from "./trainer.js";
