/** A helper thread that has ended before there was anything to do. */
export {};
