/**
 * What a thread copies, and the messages by which Workers are told.
 *
 * @module
 */
import {
  attachImage,
  type ImageAttachment,
} from "../../backends/attach_image.ts";
import type { Backend } from "../../backends/backend.ts";
import { PartCopier } from "../../backends/convert/part_copier.ts";
import {
  openPartWriter,
  type PartTarget,
} from "../../backends/convert/part_target.ts";
import type { DiskPart } from "../../backends/convert/disk_part.ts";
import { FileBackend } from "../../backends/protocols/file/file_backend.ts";
import { SyncErrors } from "../../backends/sync_errors.ts";
import { CopyTarget } from "./copy_target.ts";
import { driverServices } from "../driver_services.ts";

/** What a thread copies. Plain data if its images are. */
export interface CopyJob<Image = ImageAttachment> {
  /** The disk. */
  readonly source: Image;
  /** What the target shows where it is not written; zeroes if `null`. */
  readonly below: Image | null;
  readonly target: PartTarget;
  /** The file of the target; `null` if nothing is written. */
  readonly file: { readonly fd: number; readonly name: string } | null;
}

/** Gives a Worker a job; the last one has ended. */
export interface CopyMessage {
  readonly kind: "copy";
  /** The number of the Worker. */
  readonly index: number;
  readonly job: CopyJob;
}

/** A message to a Worker that copies. */
export type MessageToCopier =
  | CopyMessage
  | { readonly kind: "part"; readonly part: DiskPart }
  | { readonly kind: "end" };

/** A message from a Worker that copies; results are in the order of parts. */
export type CopierMessage =
  | { readonly kind: "copied"; readonly result: unknown }
  /** The job has ended; another one may come. */
  | { readonly kind: "ended" }
  | {
    readonly kind: "failed";
    readonly message: string;
    readonly isUserError: boolean;
  };

/** A job in one thread. */
export interface OpenCopyJob {
  readonly copier: PartCopier<unknown>;
  close(): Promise<void>;
}

/**
 * Opens a job in this thread, which attaches to its images.
 *
 * @param index The number of this thread.
 * @throws {UserError} If an image cannot be opened in it.
 */
export async function openCopyJob(
  job: CopyJob,
  index: number,
): Promise<OpenCopyJob> {
  const services = {
    ...driverServices({}),
    syncErrors: SyncErrors.create(),
    queue: index,
  };
  await using stack = new AsyncDisposableStack();
  const attach = async (image: ImageAttachment): Promise<Backend> => {
    const { backend, close } = await attachImage(image, services);
    stack.defer(close);
    return backend;
  };
  const source = await attach(job.source);
  const below = job.below === null ? null : await attach(job.below);
  const own = { ...job, source, below };
  const { copier, close } = await openCopier(own, false);
  stack.defer(close);
  const opened = stack.move();
  return { copier, close: () => opened.disposeAsync() };
}

/**
 * Opens a job whose images are open in this thread.
 *
 * @param writeLater Whether a large write to the target is made by another
 * thread, while this one reads.
 */
export async function openCopier(
  { source, below, target, file }: CopyJob<Backend>,
  writeLater: boolean,
): Promise<OpenCopyJob> {
  await using stack = new AsyncDisposableStack();
  let output: Backend | null = null;
  if (file !== null) {
    const { fd, name } = file;
    // Errors of writing it back are told by the flush of the file at the end.
    const { files } = driverServices({});
    const opened = files.reopen(fd, name, { writable: true });
    stack.defer(() => opened.close());
    const plain = new FileBackend(opened, name, true);
    output = writeLater ? new CopyTarget(plain, opened.fd) : plain;
  }
  const writer = await openPartWriter(target, output);
  const copier = await PartCopier.open(source, writer, below);
  const opened = stack.move();
  return { copier, close: () => opened.disposeAsync() };
}
