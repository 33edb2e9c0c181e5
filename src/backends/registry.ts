/**
 * Every driver of this program: what is added here is in help, in `info`, in
 * error messages and in the tests.
 *
 * @module
 */
import type {
  Driver,
  DriverSource,
  FilterDriver,
  ImageDriver,
} from "./driver.ts";
import { WINDOW } from "./filters/window.ts";
import { WRITETHROUGH } from "./filters/writethrough.ts";
import { RAW } from "./formats/raw.ts";
import { FILE } from "./protocols/file/driver.ts";
import { MEMORY } from "./protocols/memory.ts";
import { MODULE } from "./protocols/module.ts";
import { NULL } from "./protocols/null.ts";
import { OBJECT } from "./protocols/object.ts";
import { PATTERN } from "./protocols/pattern.ts";

/**
 * The drivers, in the order of help. Filters that several options ask for lie
 * over each other in this order, the first one at the bottom.
 */
export const DRIVERS: readonly Driver[] = [
  RAW,
  FILE,
  MEMORY,
  NULL,
  PATTERN,
  MODULE,
  OBJECT,
  WINDOW,
  WRITETHROUGH,
];

/** The drivers that images are made of. */
export const IMAGE_DRIVERS: readonly ImageDriver[] = DRIVERS.filter((driver) =>
  driver.kind !== "filter"
);

/** The drivers that lie over images. */
export const FILTER_DRIVERS: readonly FilterDriver[] = DRIVERS.filter((
  driver,
) => driver.kind === "filter");

/**
 * The driver of a name.
 *
 * @throws {TypeError} If there is none: names come from this program alone.
 */
export function driverOf(name: string): Driver {
  const driver = DRIVERS.find((each) => each.name === name);
  if (driver === undefined) throw new TypeError(`No driver is called ${name}`);
  return driver;
}

/**
 * Reads a source as users write it: `memory:1G` by the driver of that prefix,
 * anything else as a path. A path that starts like one is written `./null:1G`.
 *
 * @throws {UserError} If the driver does not understand it.
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
