import type { Backend } from "./backend.ts";
import { CountedFlush } from "./counted_flush.ts";
import type { Driver } from "./driver.ts";
import { FILE } from "./protocols/file/driver.ts";
import { driverOf } from "./registry.ts";
import type { ImageServices } from "./services.ts";

/**
 * The data with which a thread attaches to an open image. Plain data, unless
 * only the thread that opened the image can use one of its drivers.
 */
export interface ImageAttachment {
  /** The name of the driver. */
  readonly driver: string;
  /** The attachment that the driver's `open()` returned. */
  readonly attachment: unknown;
  /** The images below. */
  readonly below: readonly ImageAttachment[];
}

/** An image in one thread. */
export interface AttachedImage {
  /** The image. */
  readonly backend: Backend;
  /** Closes its backends in this thread, those above first. */
  close(): Promise<void>;
}

/**
 * Attaches this thread to an open image.
 *
 * @param image The image.
 * @param services The services of this thread for the image.
 * @throws {UserError} If a module cannot be imported or makes no backend.
 */
export async function attachImage(
  image: ImageAttachment,
  services: ImageServices,
): Promise<AttachedImage> {
  await using stack = new AsyncDisposableStack();
  const backend = await attachTree(image, services, stack);
  const attached = stack.move();
  return { backend, close: () => attached.disposeAsync() };
}

async function attachTree(
  image: ImageAttachment,
  services: ImageServices,
  stack: AsyncDisposableStack,
): Promise<Backend> {
  const below: Backend[] = [];
  for (const each of image.below) {
    below.push(await attachTree(each, services, stack));
  }
  const driver = driverOf(image.driver);
  return await attachDriver(driver, image.attachment, below, services, stack);
}

/**
 * Attaches this thread to one driver of an image.
 *
 * @param below The backends below, attached already.
 * @param stack Takes the closing of the backend.
 */
export async function attachDriver(
  driver: Driver,
  attachment: unknown,
  below: readonly Backend[],
  services: ImageServices,
  stack: AsyncDisposableStack,
): Promise<Backend> {
  const backend = driver.kind === "filter"
    ? await driver.attach(attachment, [below[0]!, ...below.slice(1)], services)
    : await driver.attach(attachment, below, services);
  // A format may add nothing to the image below: that is closed once.
  if (!below.includes(backend)) stack.defer(async () => await backend.close());
  const counts = driver.kind !== "protocol" || driver.countsSyncErrors === true;
  return counts || !backend.writable
    ? backend
    : new CountedFlush(backend, services.syncErrors);
}

/** The absolute paths of the files that an image is made of. */
export function* filesOf(image: ImageAttachment | null): Generator<string> {
  if (image === null) return;
  const { driver, attachment, below } = image;
  if (driver === FILE.name) yield (attachment as { name: string }).name;
  for (const each of below) yield* filesOf(each);
}
