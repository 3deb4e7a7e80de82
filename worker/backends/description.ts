/** What a backend says of itself; the rest of `Backend` is the same for all. */
export interface BackendDescription {
  version: string;
  flags: string;
  device: string;
}
