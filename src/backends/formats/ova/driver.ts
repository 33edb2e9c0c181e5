import { UserError } from "../../../base/user_error.ts";
import { quoteName } from "../../../base/quote_name.ts";
import type { ImageBelow, ImageDriver, OpenContext } from "../../driver.ts";
import { READ_ONLY } from "../../reference_gate.ts";
import { formatSize } from "../../size.ts";
import { openVmdk, VMDK, type VmdkAttachment } from "../vmdk/driver.ts";
import { MemberBackend } from "./member_backend.ts";
import { readDisks } from "./read_disks.ts";
import { refusal } from "./refusal.ts";
import type { TarMember } from "./tar_members.ts";

/** A disk in an archive. */
export interface OvaSource {
  /** The archive, as users write it. */
  readonly file: string;
  /** Which disk, from 1; `null` for the only one. */
  readonly number: number | null;
}

/** An open disk, for every thread. Plain data. */
export interface OvaAttachment {
  readonly name: string;
  /** Where its image is in the archive, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly image: VmdkAttachment;
}

/** Disks in an archive of a virtual machine. */
export const OVA: ImageDriver<OvaSource, OvaAttachment> = {
  kind: "format",
  name: "ova",
  summary: "a disk in the archive of a virtual machine",
  usage: "ova:PATH[#N]",
  prefixes: ["ova:"],
  needs: ["image", "shared memory"],
  parse(rest, text) {
    const [, file, number] = /^(.+?)(?:#([1-9]\d{0,3}))?$/s.exec(rest) ?? [];
    if (file !== undefined) {
      return { file, number: number === undefined ? null : Number(number) };
    }
    throw new UserError(
      `Cannot open "${text}": give a path, as in ova:PATH or ova:PATH#2`,
    );
  },
  fileOf: ({ file }) => file,
  async describe(file, name, source) {
    const disks = await readDisks(file, name);
    const disk = chosen(disks, source, name);
    const member = new MemberBackend(file, disk.offset, disk.size);
    const { size, facts, rows } = await VMDK.describe!(
      member,
      `${name}#${disks.indexOf(disk) + 1}`,
      { file: "" },
    );
    const all = disks.map(({ path }, i): [string, string] => [
      `Disk ${i + 1}`,
      quoteName(path),
    ]);
    const paths = disks.map(({ path }) => path);
    return { size, facts: { disks: paths, ...facts }, rows: [...all, ...rows] };
  },
  async open(source, context) {
    const file = await context.openBelow(source.file, READ_ONLY);
    const disks = await readDisks(file.backend, file.name);
    const { offset, size, path } = chosen(disks, source, file.name);
    const image: ImageBelow = {
      name: `${path} in ${file.name}`,
      backend: new MemberBackend(file.backend, offset, size),
      // What the image might name would not be in the archive.
      file: null,
    };
    const { attachment } = await openVmdk(
      { file: image },
      alone(context, image),
    );
    return {
      name: image.name,
      attachment: { name: image.name, offset, size, image: attachment },
    };
  },
  attach: ({ offset, size, image }, [file], services) =>
    VMDK.attach(image, [new MemberBackend(file!, offset, size)], services),
};

/** The same context for an image that may not lead to other files. */
function alone(context: OpenContext, { name }: ImageBelow): OpenContext {
  return {
    ...context,
    openBelow() {
      const advice = "a disk in an archive has to be in one file";
      throw refusal(name, "it needs other files", advice);
    },
  };
}

function chosen(
  disks: readonly TarMember[],
  { file, number }: OvaSource,
  name: string,
): TarMember {
  const list = disks.map(({ path, size }, i) =>
    `#${i + 1} ${quoteName(path)} (${formatSize(size)})`
  ).join(", ");
  if (disks.length === 0) {
    throw refusal(name, "its OVF descriptor names no disk that is in it");
  }
  if (number === null && disks.length > 1) {
    const advice = `choose one, such as ova:${file}#1`;
    throw refusal(name, `it has several disks: ${list}`, advice);
  }
  const disk = disks[(number ?? 1) - 1];
  if (disk !== undefined) return disk;
  throw refusal(name, `it has no disk #${number}`, `choose one of ${list}`);
}
