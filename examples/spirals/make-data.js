// Writes spirals.csv, always with the same bytes: three intertwined spiral arms of 400 points each, which no straight
// line can separate.
import { writeFileSync } from "node:fs";

const POINTS_PER_ARM = 400;
const ARMS = ["amber", "blue", "coral"];

/** Lehmer's generator: random enough for scatter, and the same in every language. */
let state = 1;
function uniform() {
  state = (state * 48271) % 2147483647;
  return state / 2147483647;
}

const rows = ["x,y,arm"];
for (let i = 0; i < POINTS_PER_ARM; i++) {
  ARMS.forEach((arm, k) => {
    const radius = (i + 1) / POINTS_PER_ARM;
    const angle = 4 * radius + (2 * Math.PI * k) / ARMS.length + 0.3 * (uniform() - 0.5);
    rows.push(`${(radius * Math.cos(angle)).toFixed(4)},${(radius * Math.sin(angle)).toFixed(4)},${arm}`);
  });
}
writeFileSync(new URL("./spirals.csv", import.meta.url), `${rows.join("\n")}\n`);
