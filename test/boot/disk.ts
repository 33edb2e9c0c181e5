/**
 * Debian in a chain of qcow2 images, which are written through exports.
 *
 * @module
 */
import { allocatedOf, run, runFor } from "../mount/_clients.ts";
import { ExportProcess } from "../mount/_export_process.ts";
import { clearMounts } from "../mount/_mounts.ts";
import { BOOT_S, bootGuest } from "./guest.ts";

/** The size of the disk. */
const SIZE = "3G";
/** Seconds for writing or checking a file system of some hundred MiB. */
const STEP_S = 300;
/** Options of `qemu-img create -o`: of each image another kind. */
const KINDS = {
  base: "cluster_size=64k,compression_type=zstd",
  mid: "cluster_size=16k,extended_l2=on",
  top: "cluster_size=64k",
} as const;

/** One of the images. */
export type ImageName = keyof typeof KINDS;

/** How images are made and booted. */
export interface DiskOptions {
  /** Where `build` has installed Debian. */
  readonly dir: string;
  /** `device` or `uring`. */
  readonly transport: string;
  /** Whether KVM runs the guests. */
  readonly kvm: boolean;
}

/** A directory with the images; what is in it is removed at the end. */
export class DebianDisk implements AsyncDisposable {
  readonly #options: DiskOptions;
  readonly #images: string;

  private constructor(options: DiskOptions, images: string) {
    this.#options = options;
    this.#images = images;
  }

  /** Makes an empty directory for images. */
  static async create(options: DiskOptions): Promise<DebianDisk> {
    const images = `${options.dir}/images-${options.transport}`;
    // The remains of a run that was killed.
    clearMounts(`${images}/`);
    await run("rm", "-rf", images);
    await Deno.mkdir(images);
    await Deno.writeTextFile(`${images}/mnt.img`, "");
    return new DebianDisk(options, images);
  }

  /** Makes all images, and writes Debian to the lowest one. */
  async install(): Promise<string> {
    const name = (image: ImageName) => `${this.#images}/${image}.qcow2`;
    const create = (image: ImageName, ...args: string[]) =>
      step("qemu-img", "create", "-q", "-f", "qcow2", "-o", KINDS[image])(
        ...args,
      );
    await create("base", name("base"), SIZE);
    await this.#exported("base", async (path) => {
      const root = `${this.#options.dir}/root`;
      await step("mke2fs", "-q", "-t", "ext4")("-F", "-d", root, path);
      return "";
    });
    await create("mid", "-b", "base.qcow2", "-F", "qcow2", name("mid"));
    await create("top", "-b", "mid.qcow2", "-F", "qcow2", name("top"));
    return `Debian lies in base.qcow2, ${await this.allocated("base")} bytes`;
  }

  /** Boots an image; returns what its guest has printed. */
  boot(image: ImageName, trial: string): Promise<string> {
    return this.#exported(image, async (disk) => {
      const logs = this.#images;
      const printed = await bootGuest({ ...this.#options, disk, trial, logs });
      return `${image}.qcow2 booted: ${printed.trim().replaceAll("\n", ", ")}`;
    });
  }

  /** Bytes that an image has on disk. */
  async allocated(image: ImageName): Promise<number> {
    await run("sync", "-f", this.#images);
    return await allocatedOf(`${this.#images}/${image}.qcow2`);
  }

  /** Checks all images, and the file systems in those that can be mounted. */
  async check(): Promise<void> {
    for (const image of ["base", "mid", "top"] as const) {
      const path = `${this.#images}/${image}.qcow2`;
      await step("qemu-img", "check", "-q", "-f", "qcow2")(path);
    }
    for (const image of ["mid", "top"] as const) {
      await this.#exported(image, async (path) => {
        await step("e2fsck", "-f", "-n")(path);
        return "";
      });
    }
  }

  /** Runs something on the export of an image. */
  async #exported(
    image: ImageName,
    use: (mountpoint: string) => Promise<string>,
  ): Promise<string> {
    const mountpoint = `${this.#images}/mnt.img`;
    const source = `qcow2:${this.#images}/${image}.qcow2`;
    const args = [
      "-wq4",
      `--transport=${this.#options.transport}`,
      source,
      mountpoint,
    ];
    const limitMs = STEP_S * 1000;
    const options = { lifeS: BOOT_S + 2 * STEP_S, limitMs };
    await using process = await ExportProcess.start(args, options);
    const result = await use(mountpoint);
    const { code, stderr } = await process.stop();
    if (code !== 0) throw new Error(`the export ended with ${code}: ${stderr}`);
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearMounts(`${this.#images}/`);
    await run("rm", "-rf", "--one-file-system", this.#images);
  }
}

/** Runs a program that must succeed. */
function step(...line: string[]): (...args: string[]) => Promise<void> {
  return async (...args) => {
    const [program, ...rest] = [...line, ...args];
    const { code, stdout, stderr } = await runFor(STEP_S, program!, ...rest);
    if (code === 0) return;
    throw new Error(`${program} ended with ${code}: ${stdout}${stderr}`);
  };
}
