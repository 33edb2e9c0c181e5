/**
 * The list of all drivers. Help, `info`, the parsing of sources and the tests
 * use it.
 *
 * @module
 */
import type {
  Driver,
  DriverSource,
  FilterDriver,
  ImageDriver,
} from "./driver.ts";
import { PARTITION } from "./filters/partition.ts";
import { WINDOW } from "./filters/window.ts";
import { WRITETHROUGH } from "./filters/writethrough.ts";
import { OVA } from "./formats/ova/driver.ts";
import { OVERLAY } from "./formats/overlay.ts";
import { PARTS } from "./formats/parts/driver.ts";
import { QCOW2 } from "./formats/qcow2/driver.ts";
import { RAW } from "./formats/raw.ts";
import { VHD } from "./formats/vhd/driver.ts";
import { VHDX } from "./formats/vhdx/driver.ts";
import { VMDK } from "./formats/vmdk/driver.ts";
import { ZST } from "./formats/zst/driver.ts";
import { FILE } from "./protocols/file/driver.ts";
import { HTTP } from "./protocols/http/driver.ts";
import { MEMORY } from "./protocols/memory.ts";
import { MODULE } from "./protocols/module.ts";
import { NBD } from "./protocols/nbd/driver.ts";
import { NULL } from "./protocols/null.ts";
import { OBJECT } from "./protocols/object.ts";
import { PATTERN } from "./protocols/pattern.ts";
import { S3 } from "./protocols/s3/driver.ts";

/**
 * The drivers, in the order of help. Filters are put over an image in this
 * order.
 */
export const DRIVERS: readonly Driver[] = [
  RAW,
  QCOW2,
  VMDK,
  OVA,
  VHD,
  VHDX,
  PARTS,
  ZST,
  OVERLAY,
  FILE,
  NBD,
  HTTP,
  S3,
  MEMORY,
  NULL,
  PATTERN,
  MODULE,
  OBJECT,
  PARTITION,
  WINDOW,
  WRITETHROUGH,
];

/** The protocols and formats. */
export const IMAGE_DRIVERS: readonly ImageDriver[] = DRIVERS.filter((driver) =>
  driver.kind !== "filter"
);

/** The filters. */
export const FILTER_DRIVERS: readonly FilterDriver[] = DRIVERS.filter((
  driver,
) => driver.kind === "filter");

/** The sources of the command line, each with its description. */
export const SOURCES: readonly (readonly [string, string])[] = IMAGE_DRIVERS
  .flatMap(({ usage, summary }) => usage === null ? [] : [[usage, summary]]);

/**
 * Finds a driver by its name.
 *
 * @throws {TypeError} If there is none, which is a defect.
 */
export function driverOf(name: string): Driver {
  const driver = DRIVERS.find((each) => each.name === name);
  if (driver === undefined) throw new TypeError(`No driver is called ${name}`);
  return driver;
}

/**
 * Parses a source as users write it: one that starts with a prefix of a driver
 * by that driver, anything else as the path of a raw image. A path that starts
 * with a prefix can be written as `./null:1G`.
 *
 * @throws {UserError} If the driver cannot parse it.
 */
export function parseSource(text: string): DriverSource {
  let driver: ImageDriver = RAW;
  let prefix = "";
  for (const each of IMAGE_DRIVERS) {
    for (const start of each.prefixes) {
      if (!text.startsWith(start) || start.length < prefix.length) continue;
      driver = each;
      prefix = start;
    }
  }
  const rest = text.slice(prefix.length);
  return { driver, source: driver.parse?.(rest, text) };
}
