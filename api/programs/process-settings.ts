/** What nobody else may write to, unless the user's own umask is stricter. */
const OTHERS_WRITE = 0o022;

/**
 * Settings of the whole process, made before it starts any thread, child or file operation; children inherit them.
 *
 * Nothing that Isobatch makes may be written by others, whatever the umask: a run resumes from these files, and a
 * TensorFlow that was installed is code. As a mask it holds for all files, those of pip and of a task's code included,
 * where a mode at each call would hold for those that were thought of. It is never changed again, so no file that is
 * being made meanwhile can see another one.
 */
export function prepareProcess(): void {
  // Set twice, because reading the umask without setting it is deprecated.
  const inherited = process.umask(0o077);
  process.umask(inherited | OTHERS_WRITE);
}
