/** Whether every case of a table runs, as under `npm run test:all`, or the share of it for which `npm test` has time. */
export const ALL = process.env.ISOBATCH_TESTS === "all";
