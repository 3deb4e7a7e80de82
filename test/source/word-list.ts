/** A word or phrase that no sentence of this project should have, because a native reader stumbles over it. */
export interface Word {
  /** A regular expression; a blank in it also matches the end of a line within a comment. */
  readonly pattern: string;
  /** What to say in its place, or how. */
  readonly instead: string;
  /** Looked for in names as well, and not only in comments, strings and documents. */
  readonly isName?: true;
}

/** Patterns that match hardly anything which is right; what is right all the same is excluded by the pattern. */
export const WORDS: readonly Word[] = [
  // Doc comments that name no thing.
  {
    pattern: "(?:/\\*\\*|/\\*\\*\\n\\s+\\*|(?<=\\n)\\s*//) Of (?!course\\b)\\w+",
    instead: 'name the thing: "The process\'s exit code"',
  },

  // Words that English has, in a place where it uses another.
  {
    pattern: "(?<!\\b(?:[Ll]et|[Ll]eaves?|left|leaving|stand)(?:\\s\\w+){0,8}[\\s-])\\balone\\b(?!\\()",
    instead: 'only; by itself ("for tests only")',
  },
  {
    pattern: "\\b(?:tells|told|telling)\\b(?!(?: \\w+)? apart)",
    instead: "reports, shows, logs, says, notifies; is given, is called with",
  },
  { pattern: "\\b(?:hears?|heard) of\\b", instead: "receives, learns of, is notified of" },
  { pattern: "\\b(?:begins?|began|begun)\\b", instead: "starts, started" },
  { pattern: "\\b(?:go|goes|went) on\\b", instead: "continues, resumes, keeps …ing" },
  {
    pattern: '\\bno more(?=[.,;:)"`]| and\\b| until\\b| when\\b| after\\b| once\\b)',
    instead: "no longer; not … any more",
  },
  { pattern: "\\banew\\b", instead: "again, from scratch" },
  {
    pattern: "\\b(?:stands|stood)\\b(?! (?:for|in for|out|by)\\b)",
    instead: "is, is written, is established, has stopped",
  },
  { pattern: "(?<!plausible )\\blies\\b(?! (?:between|within|outside|in [\\[(])\\b)", instead: "is, is stored in" },
  { pattern: "\\bbeside\\b", instead: "next to, besides, in addition to" },
  { pattern: "\\bof (?:its|their|his|one's|my|your|our) own\\b", instead: "its own …, your own …" },
  {
    pattern: "\\b(?<!not )so (?:many|much|long)\\b(?! (?:as|that)\\b)",
    instead: "this many, up to n, that long; the variable's name",
  },
  {
    pattern:
      "\\b(?:one|two|three|\\d+|line|page|row|file|process|thread|connection) an? (?:core|step|line|worker|shard|row|file|process|page|thread|machine|connection)\\b",
    instead: 'per ("one per core")',
  },
  { pattern: "\\b[Ww]hoever\\b", instead: "any caller that, anyone who" },
  {
    pattern: "\\b[Ww]hatever (?:is|was|has|comes|came|becomes)\\b",
    instead: "anything that, everything that, regardless of",
  },
  { pattern: "\\b(?:can't|can not|cannot|could|couldn't|to) be had\\b", instead: "is unavailable" },
  { pattern: "\\bis none of\\b", instead: "is not one of" },
  {
    pattern: "(?<!\\b[Tt]here )\\bis no (?!(?:longer|more|such|one|better|worse|less|way|good|different)\\b)\\w+",
    instead: "is not a …",
  },
  { pattern: "\\bsays? nothing of\\b", instead: "says nothing about" },
  { pattern: "\\bone after the other\\b", instead: "one after another, one at a time, in order" },
  { pattern: "\\bcomes? of\\b", instead: "results from, the result of" },
  { pattern: "\\blets? go of\\b", instead: "released, discarded" },
  { pattern: "\\blest\\b", instead: "so that … not" },
  { pattern: "\\bmend(?:s|ed|ing)?\\b", instead: "fix" },
  { pattern: "\\bput right\\b", instead: "fix, correct" },
  { pattern: "\\bin vain\\b", instead: "without success" },
  { pattern: "\\bfor want of\\b", instead: "for lack of" },
  { pattern: "\\b(?:there|where)(?:of|in|with|upon|to)\\b", instead: "of it, in it, with it" },

  { pattern: "\\bwithout a word\\b", instead: "silently, by default" },
  { pattern: "\\bby turns\\b", instead: "in turn, alternately" },
  { pattern: "\\bstands? still\\b", instead: "stalls, makes no progress, is paused" },
  { pattern: "\\bfor ever\\b", instead: "forever" },

  // Names that are not nouns and verbs of the field.
  { pattern: "\\babortion\\b", instead: "abort, cancellation", isName: true },
  { pattern: "[Ff]arewell", instead: "leave, goodbye message", isName: true },
  { pattern: "\\bobey(?:s|ed|ing)?\\b", instead: "carry out, apply, follow", isName: true },
  {
    pattern: "\\bCompany\\b|\\b[Aa]ccompan(?:y|iment)\\b",
    instead: "the name of what it holds, e.g. ServeExtras",
    isName: true,
  },
  { pattern: "\\btakeNoiseIn\\b", instead: "addNoiseSample", isName: true },
  { pattern: "\\b(?:tell|hold)Kappa\\b", instead: "announceKappa, recordKappa", isName: true },
  { pattern: "\\bmeetingPlace\\b", instead: "rendezvous, address", isName: true },
  { pattern: "\\bfromHere\\b", instead: "local…", isName: true },
  { pattern: "\\bsittingOut\\b", instead: "excluded, paused", isName: true },
  { pattern: "\\bwhenRestored\\b", instead: "afterRestore", isName: true },
  { pattern: "\\b(?:createN|n)ursery\\b", instead: "supervisor, children", isName: true },
];
