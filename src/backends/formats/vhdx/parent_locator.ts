/**
 * What a VHDX image says of its parent: [MS-VHDX] 2.6.2.6.
 *
 * @module
 */
import { uuidOf } from "../../uuid.ts";
import { refusal } from "./refusal.ts";
import type { Structure } from "./structure.ts";

const VHDX_LOCATOR = "b04aefb7-d19e-4a81-b789-25b8e9445913";
const ENTRIES_AT = 20;
const ENTRY_BYTES = 12;

/** How the parent is found, and which one it has to be. */
export interface ParentLink {
  /** A path with slashes, relative if the image has such a one; "" for none. */
  readonly name: string;
  /** The ids that its data may have. */
  readonly dataWriteIds: readonly string[];
}

/**
 * Parses a locator.
 *
 * @returns The texts that it has, by their keys.
 * @throws {UserError} If it makes no sense, or is of another kind.
 */
export function parseParentLocator(
  { bytes, view }: Structure,
  name: string,
): Map<string, string> {
  const kind = uuidOf(bytes, 0);
  if (kind !== VHDX_LOCATOR) {
    throw refusal(
      name,
      `its parent is told by a locator of the unknown kind ${kind}`,
      "name the parent with backing=vhdx:PATH",
    );
  }
  const count = view.getUint16(18, true);
  if (ENTRIES_AT + count * ENTRY_BYTES > bytes.length) {
    throw refusal(name, `the locator of its parent has ${count} entries`);
  }
  const texts = new Map<string, string>();
  for (let i = 0; i < count; i++) {
    const at = ENTRIES_AT + i * ENTRY_BYTES;
    const [key, value] = [[at, at + 8], [at + 4, at + 10]].map(
      ([offsetAt, lengthAt]) => {
        const from = view.getUint32(offsetAt!, true);
        const length = view.getUint16(lengthAt!, true);
        if (from + length > bytes.length) {
          throw refusal(name, "the locator of its parent makes no sense");
        }
        return new TextDecoder("utf-16le", { ignoreBOM: true })
          .decode(bytes.subarray(from, from + length)).split("\0", 1)[0]!;
      },
    );
    texts.set(key!, value!);
  }
  return texts;
}

/**
 * The parent that a locator leads to. Absolute paths of Windows mean nothing
 * here, so of those only the name counts, in the image's own directory.
 */
export function parentLink(texts: ReadonlyMap<string, string>): ParentLink {
  const withSlashes = (key: string) => texts.get(key)?.replaceAll("\\", "/");
  const relative = withSlashes("relative_path")?.replace(/^(?:\.\/)+/, "");
  const absolute = withSlashes("absolute_win32_path") ??
    withSlashes("volume_path");
  const ids = [texts.get("parent_linkage"), texts.get("parent_linkage2")];
  return {
    name: relative || absolute?.replace(/^.*\//s, "") || "",
    dataWriteIds: ids.filter((id) => id !== undefined)
      .map((id) => id.toLowerCase().replace(/[{}]/g, "")),
  };
}
