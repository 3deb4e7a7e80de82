/** A thread that loads a run's model and applies it once. */
import { predictHere } from "../model/predict-here.js";
import { answer } from "./answer.js";

await answer(predictHere);
