export { checksumOf, PIECE_BYTES, type Xxh64, xxh64Of } from "./checksum.js";
