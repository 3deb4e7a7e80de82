export { type TensorBoardOptions, withTensorBoard } from "./tensorboard.js";
