import { UserError } from "../../../base/user_error.ts";
import type { Backend } from "../../backend.ts";
import type {
  ImageBelow,
  ImageDriver,
  OpenContext,
  Opened,
} from "../../driver.ts";
import { loadDecompression } from "../../compression/decompress.ts";
import {
  type ImageHome,
  openImageFile,
  placeInChain,
} from "../../image_chain.ts";
import { DamageSigns } from "../../mapped/damage_signs.ts";
import { MappedImage } from "../../mapped/mapped_backend.ts";
import { cacheOwner, SliceCache } from "../../mapped/slice_cache.ts";
import { TableLookup } from "../../mapped/table_lookup.ts";
import { type ChainLink, READ_ONLY } from "../../reference_gate.ts";
import { FILE } from "../../protocols/file/driver.ts";
import { repairDirty } from "./check/repair_dirty.ts";
import { openBacking, openDataFile } from "./chain.ts";
import { ClusterCache } from "./cluster_cache.ts";
import { INCOMPATIBLE, LIMIT } from "./constants.ts";
import { createQcow2 } from "./creating/create_qcow2.ts";
import { describeQcow2, qcow2Rows } from "./describe.ts";
import { type Geometry, geometryOf, l1EntriesFor } from "./geometry.ts";
import type { Compression, Qcow2Header } from "./header.ts";
import { L2Entries } from "./l2_entries.ts";
import { type Qcow2Tables, sourceFiles } from "./qcow2_sources.ts";
import { readHeader } from "./read_header.ts";
import { readL1 } from "./read_l1.ts";
import { findSnapshot, readSnapshots } from "./snapshot_table.ts";
import { storedSnapshots } from "./stored_snapshots.ts";
import { openForWriting, refuseWriting } from "./writing/open_for_writing.ts";
import {
  type SharedWriting,
  WritableQcow2Backend,
} from "./writing/writable_backend.ts";

/** A qcow2 image that is to be opened. */
export interface Qcow2Source {
  /** What its bytes are in; open already in an overlay. */
  readonly file: ImageHome;
  /** The image below, open already; the one that the header names if left out. */
  readonly base?: ImageBelow;
  /** Its place in a chain; none if the user named it. */
  readonly link?: ChainLink;
}

/** An open image, for every thread. Plain data. */
export interface Qcow2Attachment {
  readonly name: string;
  /** The size of the disk in bytes. */
  readonly size: number;
  readonly compression: Compression;
  readonly tables: Qcow2Tables;
  /** Of `DamageSigns.create()`. */
  readonly damage: SharedArrayBuffer;
  /** What writing needs; `null` if the image is only read. */
  readonly writing: SharedWriting | null;
  /** The size of the file with the data. */
  readonly dataEnd: number;
  readonly hasDataFile: boolean;
  /** The size of the backing file in bytes; `null` without one. */
  readonly backingSize: number | null;
}

/** A disk in an image: the current one, or that of a snapshot. */
interface Disk {
  readonly l1Offset: number;
  readonly l1Entries: number;
  readonly size: number;
}

/** Images of QEMU's format, versions 2 and 3. */
export const QCOW2: ImageDriver<Qcow2Source, Qcow2Attachment> = {
  kind: "format",
  name: "qcow2",
  summary: "a qcow2 image, with the files that it refers to",
  usage: "qcow2:PATH",
  prefixes: ["qcow2:"],
  needs: ["image", "shared memory"],
  layered: true,
  parse(file, text) {
    if (file !== "") return { file };
    throw new UserError(`Cannot open "${text}": give a path, as in qcow2:PATH`);
  },
  fileOf: ({ file }) => String(file),
  async describe(file, name) {
    const facts = await describeQcow2(file, name);
    return { size: facts.size, facts: { ...facts }, rows: qcow2Rows(facts) };
  },
  create: ({ file }, options, files) =>
    createQcow2(String(file), options, files),
  open: openQcow2,
  async attach(attachment, below, services) {
    await loadDecompression("a qcow2 image");
    const [file, ...others] = below;
    const { hasDataFile, backingSize, compression, tables, writing } =
      attachment;
    const { geometry } = tables;
    const data = hasDataFile ? others.shift()! : file!;
    // The file of an image that is written to ends with a whole cluster, and no
    // cluster follows its end.
    const end = writing === null ? attachment.dataEnd : Infinity;
    const parts = {
      ...attachment,
      file: file!,
      data,
      files: sourceFiles(file!, data, end, geometry),
      geometry,
      sliceSize: geometry.sliceSize,
      clusterSize: geometry.clusterSize,
      damage: new DamageSigns(
        attachment.damage,
        attachment.name,
        services.tell,
        "see 'check', and 'check --repair=all'",
      ),
      lookup: new TableLookup(
        tables,
        new L2Entries(geometry),
        cacheOwner(services.queue),
      ),
      blocks: new ClusterCache(compression, geometry.clusterSize),
      backing: backingSize === null
        ? null
        : { backend: others.shift()!, size: backingSize },
    };
    return writing === null
      ? new MappedImage({
        ...parts,
        snapshots: storedSnapshots(file!, attachment.name),
      })
      : new WritableQcow2Backend(parts, tables, writing, services);
  },
};

/**
 * Opens an image: its file, then the file with its data, then the image below.
 * What is open already is not opened again.
 */
export async function openQcow2(
  { file: home, base, link }: Qcow2Source,
  context: OpenContext,
): Promise<Opened<Qcow2Attachment>> {
  const { cacheSize, backing: given, writable } = context.options;
  const reading = { ...READ_ONLY, writable };
  const file = await openImageFile(home, context, reading);
  const { name, backend } = file;
  const place = placeInChain(file, link, context);
  const header = await openHeader(file, context);
  const disk = await diskOf(header, backend, name, context);
  const geometry = geometryOf(header);
  const entries = l1EntriesFor(geometry, disk.size, disk.l1Entries, name);
  const used = writable ? disk.l1Entries : entries;
  const l1 = await readL1(backend, disk.l1Offset, used, geometry, name);
  const isLast = base === undefined && given === null &&
    header.backingName === null;
  const share = isLast ? cacheSize : cacheSize / 2;
  const cache = makeCache(disk.size, geometry, share);
  const data = await openDataFile(header, file, place, context);
  const image = {
    ...{ name, file, data, header, geometry, l1 },
    cacheSize: share / 4,
  };
  const writing = writable ? await openForWriting(image) : null;
  const left = cacheSize - cache.byteLength;
  const options = { ...READ_ONLY, cacheSize: Math.max(0, left) };
  const backing = base ?? await openBacking(header, file, place.gate, {
    raw: (path) => context.openBelow({ driver: FILE, source: path }, options),
    qcow2: (file, link) =>
      context.openBelow({ driver: QCOW2, source: { file, link } }, options),
    any: (source) => context.openBelow(source, options),
  }, given);
  return {
    name,
    attachment: {
      name,
      size: disk.size,
      compression: header.compression,
      tables: { geometry, l1: writable ? growable(l1) : l1, cache },
      damage: DamageSigns.create(),
      writing,
      dataEnd: await sizeOf(data ?? file),
      hasDataFile: data !== null,
      backingSize: backing === null ? null : await sizeOf(backing),
    },
  };
}

/** Reads the header; an image to be written is repaired if it was not closed. */
async function openHeader(
  { backend, name }: ImageBelow,
  { options, services: { tell } }: OpenContext,
): Promise<Qcow2Header> {
  const header = await readHeader(backend, name);
  const { incompatible } = header;
  if (options.writable) {
    refuseWriting(header, name, options);
    const isDirty = (incompatible & INCOMPATIBLE.DIRTY) !== 0n;
    return isDirty ? await repairDirty(backend, name, tell) : header;
  }
  if ((incompatible & INCOMPATIBLE.CORRUPT) !== 0n) {
    tell(
      `${name} is marked as corrupt, so parts of it may be wrong; 'check --repair=all' repairs what can be repaired`,
    );
  }
  return header;
}

/** The same table, in memory that has room for more entries. */
function growable(l1: SharedArrayBuffer): SharedArrayBuffer {
  const larger = new SharedArrayBuffer(l1.byteLength, {
    maxByteLength: LIMIT.L1_BYTES / 2,
  });
  new Uint8Array(larger).set(new Uint8Array(l1));
  return larger;
}

/** The disk to show. */
async function diskOf(
  header: Qcow2Header,
  file: Backend,
  name: string,
  { options: { snapshot } }: OpenContext,
): Promise<Disk> {
  if (snapshot === null) return header;
  const snapshots = await readSnapshots(file, header, name);
  return findSnapshot(snapshots, snapshot, name);
}

/**
 * Makes the cache of an image's tables: as large as they are, or as its share of
 * the memory for the tables of a chain.
 */
function makeCache(
  size: number,
  { sliceSpan, sliceSize }: Geometry,
  share: number,
): SharedArrayBuffer {
  const slices = Math.ceil(size / sliceSpan);
  return SliceCache.create(share, slices, sliceSize / 4);
}

async function sizeOf({ backend }: ImageBelow): Promise<number> {
  return (await backend.stat()).size;
}
