import type { SourceFile } from "./sources.js";

/** How a compiled test is run: `npm test` runs what is short, and of what has a share, that share. */
export interface TestFile {
  /** As it was found, with "/dist/" or not. */
  readonly path: string;
  /** Named NAME.long.test: only `npm run test:all` runs it. */
  readonly isLong: boolean;
  /** `npm test` runs only a share of its cases. */
  readonly hasShare: boolean;
}

export interface TestChoice {
  /** What `npm run test:all` runs: every file with every case. */
  readonly all?: boolean;
  /** Only the files of these that `npm test` does not run whole. */
  readonly rest?: boolean;
  /** Files whose path contains one of the words; every file if there is none. */
  readonly words?: readonly string[];
}

/** The test files among the given compiled or source files. */
export function testFilesOf(files: readonly SourceFile[]): TestFile[] {
  return files
    .filter(({ path }) => /\.test\.[jt]s$/.test(path))
    .map(({ path, text }) => ({
      path,
      isLong: /\.long\.test\.[jt]s$/.test(path),
      hasShare: /^import .*\/all-cases\.test\.helper\.js";/m.test(text),
    }));
}

/** The files to run. A word that only long files match chooses those, also without `all`. */
export function chooseTests(files: readonly TestFile[], { all, rest, words = [] }: TestChoice): TestFile[] {
  const offered = files.filter(({ isLong, hasShare }) => (rest ? isLong || hasShare : all || !isLong));
  if (words.length === 0) return offered;
  const chosen = words.flatMap((word) => {
    const [those, long] = [offered, files].map((some) => some.filter(({ path }) => path.includes(word)));
    return those.length > 0 || rest ? those : long;
  });
  return files.filter((file) => chosen.includes(file));
}
