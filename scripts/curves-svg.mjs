// Prints a run's loss and accuracy as an SVG for the documentation: node scripts/curves-svg.mjs runs/mnist > docs/mnist-curves.svg
import { curvesSvg, readRunFiles } from "../dist/viewing/index.js";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("name a run directory");
process.stdout.write(curvesSvg(readRunFiles(folder)));
