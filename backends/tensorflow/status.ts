/** A message of TensorFlow's binding without the status before it, e.g. "Invalid TF_Status: 12\nMessage: ". */
export const withoutStatus = (message: string): string => message.replace(/^Invalid TF_Status: \d+\s+Message: /, "");
