/** Documented commands that `npm run test:docs` does not run, and the checks that do. */
import { type DocumentedCommand, INSTALLING_PAGE } from "./markdown.test.helper.js";

export interface CheckedElsewhere {
  readonly commands: RegExp;
  /** An npm script, or a file of the checkout. */
  readonly by: string;
}

export const CHECKED_ELSEWHERE: readonly CheckedElsewhere[] = [
  { commands: /^npm (ci|test|link)\b/, by: ".ci/run" },
  // The installing page does the same.
  { commands: /^npm pack\b/, by: "test:docs" },
  { commands: /^npm run (-s )?check:cuda\b/, by: "check:cuda" },
  // These measure for minutes; what they measure with has tests.
  { commands: /^npm run bench -- link$/, by: "bench/link/limited-link.test.ts" },
  { commands: /^npm run bench -- bfloat16( --models quick)?$/, by: "compute/bfloat16.test.ts" },
  { commands: /^docker |^kubectl /, by: "test:deploy" },
  { commands: /^isobatch tensorflow (install|remove)\b/, by: "test/cli/tensorflow-install.long.test.ts" },
  { commands: /^isobatch experiment invariance\b/, by: "test/cli/experiment.long.test.ts" },
  { commands: /^tensorboard /, by: "viewing/tensorboard/tensorboard.test.ts" },
  // These need what a test does not have: GPUs, other hosts.
  { commands: /--gpu |tfjs-node-gpu/, by: "check:cuda" },
  { commands: /--tls-|trainer\.example|192\.0\.2\.7/, by: "test/security" },
];

/** The row of a command that another check runs. The installing page's commands of npm are run as they are. */
export function checkedElsewhere({ page, text }: DocumentedCommand): CheckedElsewhere | undefined {
  if (page === INSTALLING_PAGE && /^npm /.test(text)) return undefined;
  return CHECKED_ELSEWHERE.find(({ commands }) => commands.test(text));
}
