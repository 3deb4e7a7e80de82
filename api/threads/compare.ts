/** A thread that trains what an elastic run is compared with. */
import { compareHere } from "../experiment/compare-here.js";
import { answer } from "./answer.js";

await answer(compareHere);
