import { decodeName } from "../../../base/name_bytes.ts";
import { EXTENSION } from "./constants.ts";
import { refusal } from "./refusal.ts";

/** One header extension, byte for byte as the image has it. */
export interface HeaderExtension {
  /** One of {@linkcode EXTENSION}, or a type that is kept as it is. */
  readonly type: number;
  /** Its data, without padding. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Bytes of an entry of the feature name table. */
const NAME_ENTRY = 48;

/** Which 64-bit field a feature bit belongs to. */
export const FEATURE_FIELDS = [
  "incompatible",
  "compatible",
  "autoclear",
] as const;

/**
 * Parses the header extensions.
 *
 * @param bytes The first cluster.
 * @param start Where they start: after the header.
 * @param end Where they must have ended: the backing file's name, or the end of
 * the cluster.
 * @param name The image's name in errors.
 * @throws {UserError} If one of them reaches beyond the end.
 */
export function parseExtensions(
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  end: number,
  name: string,
): HeaderExtension[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  const extensions: HeaderExtension[] = [];
  for (let at = start; at + 8 <= end;) {
    const type = view.getUint32(at);
    const length = view.getUint32(at + 4);
    at += 8;
    if (type === EXTENSION.END) break;
    if (length > end - at) {
      throw refusal(name, `a header extension of ${length} bytes is too long`);
    }
    extensions.push({ type, data: bytes.slice(at, at + length) });
    at += Math.ceil(length / 8) * 8;
  }
  return extensions;
}

/** The data of the first extension of a type; `null` if there is none. */
export function extensionOf(
  extensions: readonly HeaderExtension[],
  type: number,
): Uint8Array<ArrayBuffer> | null {
  return extensions.find((each) => each.type === type)?.data ?? null;
}

/**
 * The text in an extension; `null` if the image does not have it.
 *
 * @param extensions All extensions.
 * @param type Which.
 * @param max Its greatest length in bytes.
 * @param name The image's name in errors.
 * @throws {UserError} If it is too long or no name.
 */
export function textOfExtension(
  extensions: readonly HeaderExtension[],
  type: number,
  max: number,
  name: string,
): string | null {
  const data = extensionOf(extensions, type);
  if (data === null || data.length === 0) return null;
  if (data.length > max || data.includes(0)) {
    throw refusal(name, "a name in its header is too long or has a NUL");
  }
  return decodeName(data);
}

/**
 * The name of a feature bit: the image's own, else the number of the bit.
 *
 * @param field Index into {@linkcode FEATURE_FIELDS}.
 * @param bit From 0.
 */
export function featureName(
  extensions: readonly HeaderExtension[],
  field: number,
  bit: number,
): string {
  const table = extensionOf(extensions, EXTENSION.FEATURE_NAMES);
  for (let at = 0; table !== null && at + NAME_ENTRY <= table.length;) {
    const entry = table.subarray(at, at += NAME_ENTRY);
    if (entry[0] !== field || entry[1] !== bit) continue;
    const text = String.fromCharCode(...entry.subarray(2)).replace(
      /\0.*$/s,
      "",
    );
    // The author of the image chose it, and it is printed to a terminal.
    if (/^[\x20-\x7e]+$/.test(text)) return `"${text}"`;
  }
  return `bit ${bit} of ${FEATURE_FIELDS[field]}_features`;
}
