import type { TarMember } from "./tar_members.ts";

/**
 * The disks of an OVF descriptor, in its order: the files that its disks refer
 * to (DSP0243, sections 7.1 and 9.1).
 *
 * @param text The descriptor: XML, of which only these elements are read.
 * @param members The members of the archive.
 */
export function ovfDisks(
  text: string,
  members: readonly TarMember[],
): TarMember[] {
  const plain = text.replace(/<!--.*?-->/gs, "");
  const files = new Map(
    elements(plain, "File").map((file) => [file["id"], file["href"]]),
  );
  return elements(plain, "Disk").flatMap(({ fileRef }) => {
    const href = fileRef === undefined ? undefined : files.get(fileRef);
    const member = members.find(({ path }) => nameOf(path) === href);
    return member === undefined ? [] : [member];
  });
}

/** A member's name as the descriptor gives it. */
function nameOf(path: string): string {
  return path.replace(/^\.\//, "");
}

/** The attributes of all elements of a name, without their namespaces. */
function elements(text: string, name: string): Record<string, string>[] {
  const tags = text.matchAll(new RegExp(`<(?:\\w+:)?${name}\\s([^<>]*)>`, "g"));
  return Array.from(tags, ([, attributes]) => {
    const pairs = attributes!.matchAll(
      /([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g,
    );
    return Object.fromEntries(
      Array.from(pairs, ([, key, double, single]) => [
        key!.replace(/^\w+:/, ""),
        unescaped(double ?? single ?? ""),
      ]),
    );
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

function unescaped(text: string): string {
  return text.replace(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
}
