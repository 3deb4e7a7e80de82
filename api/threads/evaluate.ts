/** A thread that evaluates a run. */
import { evaluateHere } from "../model/evaluate-here.js";
import { answer } from "./answer.js";

await answer(evaluateHere);
