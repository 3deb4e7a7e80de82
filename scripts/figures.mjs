// Prints figures about the shape of the code; the tests in test/source hold their limits. Needs a build.
import { figuresOf } from "../dist/test/source/figures.js";
import { codeFiles } from "../dist/test/source/sources.js";

console.log(figuresOf(codeFiles()).join("\n"));
