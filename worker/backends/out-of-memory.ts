/**
 * Memory that ran out: which of the errors that JavaScript, TensorFlow and CUDA's libraries throw mean that. A device that has
 * no more may have enough for fewer samples, so these errors are worth telling from all others.
 */

/** A backend's own memory has ended. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
}

const WORDS: readonly RegExp[] = [
  // TensorFlow's status RESOURCE_EXHAUSTED, as the package's binding says it, and its words.
  /\bTF_Status: 8\b/,
  /\bRESOURCE_EXHAUSTED\b/,
  /\bOOM when allocating\b/,
  /\bran out of memory\b/i,
  // What a copy to a GPU says where the GPU had no room for it.
  /\bDst tensor is not initialized\b/,
  /\bCUDA_ERROR_OUT_OF_MEMORY\b/,
  /\bCU(?:DNN|BLAS|SOLVER|FFT)_(?:STATUS_)?ALLOC_FAILED\b/,
  /\bfailed to allocate\b/i,
  /\bstd::bad_alloc\b/,
];

/** Of JavaScript's arrays: the second is a length above what an array may have. */
const ARRAYS: readonly RegExp[] = [
  /^Array buffer allocation failed$/,
  /^Invalid typed array length: \d{10,}$/,
  /could not allocate memory/,
];

export function isOutOfMemory(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof OutOfMemoryError) return true;
  if (error instanceof RangeError && ARRAYS.some((pattern) => pattern.test(error.message))) return true;
  return WORDS.some((pattern) => pattern.test(error.message)) || isOutOfMemory(error.cause);
}
