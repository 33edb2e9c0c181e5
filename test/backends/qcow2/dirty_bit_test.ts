/** The dirty bit of an image with lazy refcounts, if its header cannot be written. */
import { assertEquals } from "@std/assert";
import { checkQcow2 } from "../../../src/backends/formats/qcow2/check/check_qcow2.ts";
import {
  COMPATIBLE,
  INCOMPATIBLE,
} from "../../../src/backends/formats/qcow2/constants.ts";
import { type OpenImage, openImage } from "../../../src/backends/open_image.ts";
import { ERRNO } from "../../../src/base/errno.ts";
import { Random } from "../../_random.ts";
import { imageOptions } from "../_image_options.ts";
import { buildImage } from "./_build_image.ts";
import { CutDisk, cutServices, PATH } from "./_cut_disk.ts";

const CLUSTER = 512;
/** Where the header has its incompatible and its compatible features. */
const INCOMPATIBLE_AT = 72;
const COMPATIBLE_AT = 80;
/** Power cuts that are tried. */
const CUTS = 20;

/** What fails when the incompatible features are written. */
type Fault = "write" | "flush";

class FaultyHeader extends CutDisk {
  fault: Fault | null = null;
  #isWritten = false;

  override pwrite(
    buffer: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): number {
    if (position === INCOMPATIBLE_AT) {
      if (this.fault === "write") return -ERRNO.EIO;
      this.#isWritten = true;
    }
    return super.pwrite(buffer, start, length, position);
  }

  override fdatasync(): number {
    if (this.fault === "flush" && this.#isWritten) return -ERRNO.EIO;
    this.#isWritten = false;
    return super.fdatasync();
  }
}

async function openLazy(): Promise<[FaultyHeader, OpenImage]> {
  const bytes = buildImage({
    clusterBits: 9,
    size: 64 * CLUSTER,
    clusters: ["data"],
    header: (view) =>
      view.setBigUint64(COMPATIBLE_AT, COMPATIBLE.LAZY_REFCOUNTS),
  });
  const disk = new FaultyHeader(bytes, 128 * CLUSTER, new Random(1));
  const options = { ...imageOptions, writable: true };
  const services = cutServices(disk, null);
  return [disk, await openImage(`qcow2:${PATH}`, options, services)];
}

/** Writes a cluster that had no data. */
function write({ backend }: OpenImage, cluster: number): void {
  const data = new Uint8Array(CLUSTER).fill(cluster);
  assertEquals(backend.write(cluster * CLUSTER, data, 0, CLUSTER), CLUSTER);
}

/** Requires that the header has the bit or not, wherever the power is cut now. */
function assertDirty(disk: CutDisk, isDirty: boolean): void {
  for (let seed = 0; seed < CUTS; seed++) {
    const view = new DataView(disk.cut(new Random(seed)).buffer);
    const bit = view.getBigUint64(INCOMPATIBLE_AT) & INCOMPATIBLE.DIRTY;
    assertEquals(bit !== 0n, isDirty, `cut ${seed}`);
  }
}

/** Requires that the image is as if nothing had failed. */
async function assertSettled(disk: CutDisk): Promise<void> {
  assertDirty(disk, false);
  const file = await openImage(PATH, imageOptions, cutServices(disk, null));
  const { damage, leaks } = await checkQcow2(file.backend, PATH);
  assertEquals([damage, leaks], [[], 0]);
  await file.close();
}

for (const fault of ["write", "flush"] as const) {
  Deno.test(`a dirty bit that could not be cleared (${fault}) is cleared by the next attempt`, async () => {
    const [disk, image] = await openLazy();
    write(image, 1);
    assertEquals(image.backend.flush(), 0);
    assertDirty(disk, true);
    disk.fault = fault;
    assertEquals(image.backend.settle!(), -ERRNO.EIO);
    disk.fault = null;
    assertEquals(image.backend.settle!(), 0);
    await assertSettled(disk);
    await image.close();
  });

  Deno.test(`a dirty bit that could not be cleared (${fault}) is set before later refcounts are left out`, async () => {
    const [disk, image] = await openLazy();
    write(image, 1);
    disk.fault = fault;
    assertEquals(image.backend.settle!(), -ERRNO.EIO);
    disk.fault = null;
    write(image, 2);
    assertEquals(image.backend.flush(), 0);
    assertDirty(disk, true);
    await image.close();
    await assertSettled(disk);
  });

  Deno.test(`a dirty bit that could not be set (${fault}) fails the flush, and is set by the next one`, async () => {
    const [disk, image] = await openLazy();
    write(image, 1);
    disk.fault = fault;
    assertEquals(image.backend.flush(), -ERRNO.EIO);
    disk.fault = null;
    assertEquals(image.backend.flush(), 0);
    assertDirty(disk, true);
    await image.close();
    await assertSettled(disk);
  });
}
