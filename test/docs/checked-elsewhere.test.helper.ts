/** Documented commands that `npm run test:docs` does not run, with what does. */
export interface CheckedElsewhere {
  readonly commands: RegExp;
  /** An npm script, or a file of the checkout. */
  readonly by: string;
}

export const CHECKED_ELSEWHERE: readonly CheckedElsewhere[] = [
  { commands: /^npm ci$|^npm ci && npm (start|test)\b/, by: ".ci/run" },
  { commands: /^npm run (-s )?check:cuda\b/, by: "check:cuda" },
  // They measure for minutes; what they measure with has tests.
  { commands: /^npm run bench -- link$/, by: "bench/link/limited-link.test.ts" },
  { commands: /^npm run bench -- bfloat16( --models quick)?$/, by: "compute/bfloat16.test.ts" },
  { commands: /^docker |^kubectl /, by: "test:deploy" },
  { commands: /^isobatch tensorflow (install|remove)\b/, by: "test/cli/tensorflow-install.test.ts" },
  { commands: /^isobatch experiment invariance\b/, by: "test/cli/experiment.test.ts" },
  { commands: /^tensorboard /, by: "server/viewing/tensorboard/tensorboard.test.ts" },
  // Of machines that a test does not have: GPUs, other hosts.
  { commands: /--gpu |tfjs-node-gpu/, by: "check:cuda" },
  { commands: /--tls-|trainer\.example|192\.0\.2\.7/, by: "test/security" },
];
