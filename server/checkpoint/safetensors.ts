import { IsobatchError } from "../../shared/errors.js";

/**
 * The safetensors format, float32 tensors only: eight bytes of header length (little-endian), a JSON header that
 * names each tensor's shape and place, then the tensors' bytes back to back. Pure: it turns tensors into header
 * bytes and header bytes into a table; callers that read and write files handle the data themselves, without a copy.
 * The header is padded with spaces so that the data starts at a multiple of 8. Float32 is little-endian, here and on
 * every platform that Node runs on.
 *
 * A reader trusts nothing: each length is checked against the file's before memory is taken for it.
 */

/** A tensor as the header lists it. */
export interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** First byte and the byte after the last, counted from the start of the data. */
  readonly from: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of their bytes; together they cover the data without gap or overlap. */
  readonly tensors: readonly TensorEntry[];
  readonly metadata: ReadonlyMap<string, string>;
  /** The data's first byte in the file. */
  readonly dataStart: number;
  readonly dataBytes: number;
}

/** Bytes before the header: its length. */
export const LENGTH_BYTES = 8;
/** The format's own limit on a header, in bytes. */
export const HEADER_BYTES_MAX = 100_000_000;
const METADATA = "__metadata__";

/**
 * The start of a file up to its data, length included.
 * @param tensors in the order in which their bytes will follow
 */
export function encodeHeader(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>>,
): Buffer {
  const table: [string, unknown][] = [[METADATA, metadata]];
  let from = 0;
  for (const { name, shape } of tensors) {
    const end = from + 4 * elements(shape);
    table.push([name, { dtype: "F32", shape, data_offsets: [from, end] }]);
    from = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(table)));
  const bytes = Buffer.alloc(Math.ceil((LENGTH_BYTES + json.length) / 8) * 8, " ");
  bytes.writeBigUInt64LE(BigInt(bytes.length - LENGTH_BYTES), 0);
  bytes.set(json, LENGTH_BYTES);
  return bytes;
}

/**
 * The header's length from a file's first eight bytes, without those eight.
 * @throws {IsobatchError} `damaged` when it can't be one in a file of `fileBytes`
 */
export function decodeHeaderLength(first: Buffer, fileBytes: number): number {
  if (first.length < LENGTH_BYTES) damaged(`it has ${first.length} bytes, too few for a header`);
  const length = first.readBigUInt64LE(0);
  const most = Math.min(HEADER_BYTES_MAX, fileBytes - LENGTH_BYTES);
  if (length < 2n || length > BigInt(most)) damaged(`its header claims ${length} bytes where at most ${most} can be`);
  return Number(length);
}

/**
 * @param header the header's bytes, without its length
 * @param fileBytes length of the whole file
 * @throws {IsobatchError} `damaged`, saying what is wrong
 */
export function decodeHeader(header: Buffer, fileBytes: number): SafetensorsHeader {
  const dataStart = LENGTH_BYTES + header.length;
  const dataBytes = fileBytes - dataStart;
  const table = parseObject(header);
  const tensors: TensorEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of Object.entries(table)) {
    if (name === METADATA) metadata = parseMetadata(value);
    else tensors.push(parseEntry(name, value));
  }
  tensors.sort((a, b) => a.from - b.from || a.end - b.end);
  let covered = 0;
  for (const { name, from, end } of tensors) {
    if (from !== covered) damaged(`tensor ${quote(name)} starts at byte ${from} of the data, not at ${covered}`);
    covered = end;
  }
  if (covered !== dataBytes) damaged(`it has ${dataBytes} bytes of data where its header wants ${covered}`);
  return { tensors, metadata, dataStart, dataBytes };
}

function parseObject(header: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch {
    damaged("its header is not JSON");
  }
  if (!isObject(value)) damaged("its header is not a JSON object");
  return value;
}

function parseMetadata(value: unknown): ReadonlyMap<string, string> {
  if (!isObject(value)) damaged("its metadata is not an object");
  const metadata = new Map<string, string>();
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") damaged(`its metadata ${quote(key)} is not a string`);
    metadata.set(key, text);
  }
  return metadata;
}

function parseEntry(name: string, value: unknown): TensorEntry {
  if (!isObject(value)) damaged(`tensor ${quote(name)} is not an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (dtype !== "F32") damaged(`tensor ${quote(name)} is not of type F32`);
  if (!isCounts(shape)) damaged(`tensor ${quote(name)} has no valid shape`);
  if (!isCounts(offsets) || offsets.length !== 2) damaged(`tensor ${quote(name)} has no valid offsets`);
  const [from, end] = offsets;
  if (end - from !== 4 * elements(shape)) {
    damaged(`tensor ${quote(name)} of shape [${shape.join(", ")}] has ${end - from} bytes`);
  }
  return { name, shape, from, end };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A name from the file, short and printable whatever it holds. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}

function damaged(what: string): never {
  throw new IsobatchError("damaged", what);
}
