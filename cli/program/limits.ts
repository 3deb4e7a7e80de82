/** The largest numbers that options take. */
export const STEPS_MAX = 1e12;
export const SAMPLES_MAX = 1e15;
export const WORKERS_MAX = 256;
export const SHARDS_MAX = 256;
export const THREADS_MAX = 256;
export const GPUS_MAX = 1_023;
export const WAIT_SECONDS_MAX = 86_400;
export const MICRO_BATCHES_MAX = 65_536;
export const SEED_MAX = 2 ** 31 - 1;
