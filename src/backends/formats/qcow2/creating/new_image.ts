/**
 * The bytes of a new qcow2 image. Everything that is not written is a hole, and
 * reads as zeroes.
 *
 * @module
 */
import { newHeader } from "./new_header.ts";
import type { NewImage, NewLayout } from "./new_layout.ts";

/** The cluster is used once, so that it may be written in place. */
const COPIED = 0x8000_0000;
/** Every subcluster is allocated: the low half of an extended entry's bitmap. */
const ALL_ALLOCATED = 0xffff_ffff;
/** Bytes of tables that are made at once. */
const PART = 65_536;

/** Bytes at a place of the file. */
export interface FilePart {
  readonly at: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * The tables of a new image. The header comes last: a file that was not written
 * completely is no image.
 *
 * @param name Its name in errors.
 * @throws {UserError} If the names in its header do not fit.
 */
export function* newImage(
  image: NewImage,
  layout: NewLayout,
  name: string,
): Generator<FilePart, void> {
  const header = newHeader(image, layout, name);
  const { clusterSize } = image;
  const { blocksAt, blockClusters, l1At, l1Entries, l2At, l2Tables } = layout;
  const place = (cluster: number) => cluster * clusterSize;
  yield* entries(place(1), blockClusters, 2, (view, at, i) => {
    put(view, at, place(blocksAt + i), 0);
  });
  yield* refcounts(place(blocksAt), layout.clusters);
  if (l2Tables > 0) {
    yield* entries(place(l1At), l1Entries, 2, (view, at, i) => {
      put(view, at, place(l2At + i), COPIED);
    });
    yield* l2Entries(image, layout);
  }
  yield { at: 0, bytes: header };
}

/** Each cluster of the file is used once. */
function* refcounts(at: number, clusters: number): Generator<FilePart, void> {
  for (let done = 0; done < clusters; done += PART / 2) {
    const count = Math.min(PART / 2, clusters - done);
    const bytes = new Uint8Array(count * 2);
    // 16 bits in big-endian order: 0, 1.
    for (let i = 1; i < bytes.length; i += 2) bytes[i] = 1;
    yield { at: at + done * 2, bytes };
  }
}

/** Entries that lead to the clusters of data, in order. */
function* l2Entries(
  { size, clusterSize, extendedL2, backing, dataFile }: NewImage,
  { l2At, dataAt }: NewLayout,
): Generator<FilePart, void> {
  const first = dataFile === null ? dataAt : 0;
  const clusters = Math.ceil(size / clusterSize);
  const words = extendedL2 ? 4 : 2;
  // Where there is an image below, its bytes show until they are written.
  const bitmap = backing === null ? ALL_ALLOCATED : 0;
  yield* entries(l2At * clusterSize, clusters, words, (view, at, i) => {
    put(view, at, (first + i) * clusterSize, COPIED);
    if (extendedL2) view.setUint32(at + 12, bitmap);
  });
}

/** A table, part by part. */
function* entries(
  at: number,
  count: number,
  words: number,
  fill: (view: DataView, at: number, index: number) => void,
): Generator<FilePart, void> {
  const each = words * 4;
  const most = PART / each;
  for (let done = 0; done < count; done += most) {
    const part = Math.min(most, count - done);
    const view = new DataView(new ArrayBuffer(part * each));
    for (let i = 0; i < part; i++) fill(view, i * each, done + i);
    yield { at: at + done * each, bytes: new Uint8Array(view.buffer) };
  }
}

/** Writes an offset, with flags in its upper half. */
function put(view: DataView, at: number, offset: number, flags: number): void {
  view.setUint32(at, (Math.floor(offset / 2 ** 32) | flags) >>> 0);
  view.setUint32(at + 4, offset % 2 ** 32);
}
