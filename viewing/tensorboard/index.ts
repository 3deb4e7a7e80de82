export { createTensorBoard } from "./tensorboard.js";
