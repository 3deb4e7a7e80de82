/**
 * What the errors of native code mean. Those that JavaScript, TensorFlow and CUDA's libraries throw when memory has run
 * out are handled differently from all others, since fewer samples may still fit.
 */

/** A backend's own memory has run out. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
}

const WORDS: readonly RegExp[] = [
  // TensorFlow's status RESOURCE_EXHAUSTED, as the package's binding reports it, and in TensorFlow's own words.
  /\bTF_Status: 8\b/,
  /\bRESOURCE_EXHAUSTED\b/,
  /\bOOM when allocating\b/,
  /\bran out of memory\b/i,
  // A copy to a GPU that had no room for it.
  /\bDst tensor is not initialized\b/,
  /\bCUDA_ERROR_OUT_OF_MEMORY\b/,
  /\bCU(?:DNN|BLAS|SOLVER|FFT)_(?:STATUS_)?ALLOC_FAILED\b/,
  /\bfailed to allocate\b/i,
  /\bstd::bad_alloc\b/,
];

/** Errors of JavaScript's arrays; the second is about a length above an array's limit. */
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

/** A message of TensorFlow's binding without the status before it, e.g. "Invalid TF_Status: 12\nMessage: ". */
export const withoutStatus = (message: string): string => message.replace(/^Invalid TF_Status: \d+\s+Message: /, "");
