/**
 * QEMU's tools, which make images and say what their bytes are.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { ImageOptions } from "../../../src/backends/driver.ts";
import { type OpenImage, openImage } from "../../../src/backends/open_image.ts";
import {
  driverServices,
  type DriverServicesOptions,
} from "../../../src/session/driver_services.ts";
import { libc } from "../../../src/linux/syscall/libc.ts";
import { missingPermission, missingProgram } from "../../requirements.ts";
import { imageOptions } from "../_image_options.ts";

/** Seconds after which a tool that hangs is ended. */
const LIMIT_S = 60;

/** Why these tests cannot run; "" if they can. */
export const MISSING: string =
  missingPermission("read", "write", "run", "env", "ffi") ||
  missingProgram("qemu-img", "qemu-io");

// Opened before the first test, so that it does not count as a leak.
if (MISSING === "") libc();

/** Runs a tool, and returns what it prints. */
export async function qemu(
  directory: string,
  tool: "qemu-img" | "qemu-io",
  ...args: string[]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("timeout", {
    args: [`${LIMIT_S}`, tool, ...args],
    cwd: directory,
  }).output();
  const text = new TextDecoder();
  const command = [tool, ...args].join(" ");
  assertEquals(
    success,
    true,
    `${command}: ${text.decode(stderr)}${text.decode(stdout)}`,
  );
  return text.decode(stdout);
}

/** Runs a body in a directory of its own. */
export async function inDirectory(
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "mqfuse-qcow2-" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Opens an image, by the calls of this kernel. */
export function openReal(
  source: string,
  options: Partial<ImageOptions> = {},
  services: DriverServicesOptions = {},
): Promise<OpenImage> {
  const all = { ...imageOptions, ...options };
  return openImage(source, all, driverServices(services));
}

/** Asserts that an image reads as a file of the same bytes, and its holes too. */
export async function assertSameBytes(
  source: string,
  wanted: Uint8Array,
  options: Partial<ImageOptions> = {},
): Promise<void> {
  const image = await openReal(source, options);
  try {
    const { backend, stat } = image;
    assertEquals(stat.size, wanted.length, source);
    for (const step of [1 << 20, 70_001, 4096]) {
      const buffer = new Uint8Array(step);
      for (let at = 0; at < wanted.length; at += step) {
        const length = Math.min(step, wanted.length - at);
        let done = 0;
        while (done < length) {
          const rest = length - done;
          const got = await backend.read(at + done, buffer, done, rest);
          if (got <= 0) throw new Error(`${source}: ${got} at ${at + done}`);
          done += got;
        }
        const place = firstDifference(buffer, wanted.subarray(at, at + length));
        if (place >= 0) throw new Error(`${source} differs at ${at + place}`);
      }
    }
    for (let at = 0; at < wanted.length;) {
      const { data, end } = await backend.extent(at);
      const range = wanted.subarray(at, end);
      if (!data && range.some((byte) => byte !== 0)) {
        throw new Error(`${source}: a hole at ${at} has data`);
      }
      at = end;
    }
  } finally {
    await image.close();
  }
}

function firstDifference(got: Uint8Array, wanted: Uint8Array): number {
  for (let i = 0; i < wanted.length; i++) if (got[i] !== wanted[i]) return i;
  return -1;
}
