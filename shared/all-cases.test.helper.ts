/**
 * Whether every case of a table runs, as under `npm run test:all`, or only the share of it that `npm test` has time
 * for. A file that imports this runs under both; a file named NAME.long.test.ts runs under `npm run test:all` only.
 */
export const ALL = process.env.ISOBATCH_TESTS === "all";
