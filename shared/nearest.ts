/**
 * The name that a mistyped one probably means: the nearest by edit distance, if it is near enough to be a typing error,
 * else one that contains the word or is part of it. Case, hyphens and underscores don't count.
 */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const meant = plain(word);
  if (meant === "") return undefined;
  let found: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    const distance = distanceTo(meant, plain(name));
    if (distance < least) [found, least] = [name, distance];
  }
  return found;
}

/** "did you mean …?" for one name; undefined if none is near. */
export function suggestion(word: string, names: Iterable<string>): string | undefined {
  const name = nearest(word, names);
  return name === undefined ? undefined : `did you mean ${name}?`;
}

/** Each word quoted, with the name that it probably means, if one is near: "a" (did you mean b?), "c". */
export function withSuggestions(words: readonly string[], names: Iterable<string>, quote = '"'): string {
  const known = [...names];
  return words
    .map((word) => {
      const hint = suggestion(word, known);
      return `${quote}${word}${quote}${hint === undefined ? "" : ` (${hint})`}`;
    })
    .join(", ");
}

/** The fraction of a word's letters that may be wrong. */
const SLIPS = 0.34;
/** A shorter word is part of too many names. */
const PART_LENGTH_MIN = 3;

/**
 * How far a word is from a name; infinity if they are not near. Typing errors rank before parts, regardless of their
 * number.
 */
function distanceTo(word: string, name: string): number {
  const slips = editDistance(word, name);
  if (slips <= Math.max(1, Math.floor(SLIPS * Math.max(word.length, name.length))) && slips < name.length) return slips;
  const [shorter, longer] = word.length < name.length ? [word, name] : [name, word];
  const isPart = shorter.length >= PART_LENGTH_MIN && longer.includes(shorter);
  return isPart ? 1_000 + longer.length - shorter.length : Number.POSITIVE_INFINITY;
}

function plain(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/**
 * How many letters are inserted, left out, replaced, or swapped with their neighbour (Damerau–Levenshtein distance).
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + same);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) next[j] = Math.min(next[j], before[j - 2] + 1);
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}
