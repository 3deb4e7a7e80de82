/**
 * Checks that small compiled gradients whose graphs have two partitions return at all, and that their bits are those of the
 * operations computed one by one.
 */
import { fileURLToPath } from "node:url";
import type { TwoPartitionsAnswer } from "../../../compute/gradients/two-partitions-program.test.helper.js";
import { lastLine, runChild } from "../child.js";
import type { CheckPart } from "../report.js";

export type PartitionsRow = TwoPartitionsAnswer;

const PROGRAM = fileURLToPath(
  new URL("../../../compute/gradients/two-partitions-program.test.helper.js", import.meta.url),
);

export const part: CheckPart<PartitionsRow> = async ({ backend, endsAt }, say) => {
  const { code, isLate, stdout, stderr } = await runChild(
    process.execPath,
    [PROGRAM, backend],
    endsAt - Date.now() - 500,
  );
  const answers = stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as TwoPartitionsAnswer);
  for (const answer of answers) {
    const { model, sameBits, refusals } = answer;
    say.row(answer);
    if (!sameBits) say.fail(`The compiled gradient of ${model} has other bits than the operations one by one.`);
    for (const refusal of refusals) say.fail(`${model}: ${refusal}.`);
  }
  if (isLate) say.fail(`A compiled gradient hangs, after ${answers.length} models.`);
  else if (code !== 0) say.fail(`A compiled gradient fails, after ${answers.length} models: ${lastLine(stderr)}`);
};
