/**
 * The options of `mountHandler()` that exports do not have: their types,
 * defaults and checks.
 *
 * @module
 */
import { NS_PER_S } from "../base/timespec.ts";
import type { ModuleSpec } from "../base/import_factory.ts";
import { PAGE_SIZE } from "../base/limits.ts";
import { UserError } from "../base/user_error.ts";
import { INIT_FLAGS, type InitFlagName } from "../protocol/flags.ts";
import type { WantedCapabilities } from "../protocol/init.ts";
import type { RequestHandler } from "../queue/request_handler.ts";
import type { AutoUnmount } from "./auto_unmount.ts";
import { checkChoice, checkWholeNumber } from "./check_value.ts";
import type { SessionOptions } from "./session_options.ts";

/**
 * The type of a mount's root.
 *
 * @category File systems
 */
export type RootKind = "file" | "directory";

/**
 * Who checks whether a program may do what it requests:
 *
 * - `kernel`: the kernel, by modes and owners (`default_permissions`).
 * - `server`: the file system, when it answers a request. It alone knows who may
 *   do what; with `allowOther`, what it does not refuse is allowed to all users.
 *
 * @category File systems
 */
export type Permissions = "kernel" | "server";

/**
 * Options of {@linkcode mountHandler}.
 *
 * @category File systems
 */
export interface MountHandlerOptions extends SessionOptions {
  /**
   * Answers requests: an object, which one queue serves on the calling thread;
   * or a module whose default export makes one in each Worker. One queue serves
   * a module too, because each Worker would have a handler with a state of its
   * own, unless the module declares by `export const shared = true` that its
   * handlers in several threads are one file system.
   */
  readonly handler: RequestHandler | ModuleSpec;
  /** The type of the root; a directory if left out. */
  readonly root?: RootKind;
  /** Device name of the mount in /proc/mounts; `mqfuse` if left out. */
  readonly name?: string;
  /** Who checks permissions; `kernel` if left out. */
  readonly permissions?: Permissions;
  /**
   * Whether a small process unmounts it if this program is killed or crashes;
   * `off` if left out.
   */
  readonly autoUnmount?: AutoUnmount;
  /**
   * Capabilities to request in INIT, besides the usual ones. `maxWrite`, 128 KiB
   * if left out, is a multiple of 4 KiB from 64 KiB, which lists and extended
   * attributes need, to 1 MiB.
   */
  readonly wanted?: Partial<WantedCapabilities>;
}

/** Checked options, with the defaults filled in. */
export interface CheckedHandlerOptions {
  /** As {@linkcode MountHandlerOptions.handler}. */
  readonly handler: RequestHandler | ModuleSpec;
  /** As {@linkcode MountHandlerOptions.root}. */
  readonly root: RootKind;
  /** As {@linkcode MountHandlerOptions.name}. */
  readonly name: string;
  /** As {@linkcode MountHandlerOptions.permissions}. */
  readonly permissions: Permissions;
  /** All capabilities to request. */
  readonly wanted: WantedCapabilities;
}

const PERMISSIONS: readonly Permissions[] = ["kernel", "server"];
const ROOTS: readonly RootKind[] = ["file", "directory"];

const USUAL_CAPABILITIES: WantedCapabilities = {
  // With ABORT_ERROR the kernel tells an abort from an unmount.
  flags: [
    "ASYNC_READ",
    "BIG_WRITES",
    "MAX_PAGES",
    "PARALLEL_DIROPS",
    "ABORT_ERROR",
  ],
  maxWrite: 128 * 1024,
  maxBackground: 64,
  congestionThreshold: 48,
};

const U16_MAX = 2 ** 16 - 1;
const U32_MAX = 2 ** 32 - 1;
/**
 * The least payload: LISTXATTR, GETXATTR and READDIR may return as much, even if
 * WRITEs are smaller (XATTR_LIST_MAX).
 */
const MAX_WRITE_MIN = 64 * 1024;
/** fuse_max_pages_limit of the kernel's fs/fuse/inode.c, in bytes. */
const MAX_WRITE_MAX = 2 ** 20;
/** FILESYSTEM_MAX_STACK_DEPTH of the kernel. */
const STACK_DEPTH_MAX = 2;
/** mount(2) takes a page with its NUL. */
const NAME_BYTES_MAX = PAGE_SIZE - 1;

/** The smallest and largest value of each number. */
const RANGES: Readonly<
  Record<Exclude<keyof WantedCapabilities, "flags">, [number, number]>
> = {
  maxWrite: [MAX_WRITE_MIN, MAX_WRITE_MAX],
  maxReadahead: [0, U32_MAX],
  maxBackground: [0, U16_MAX],
  congestionThreshold: [0, U16_MAX],
  timeGran: [1, Number(NS_PER_S)],
  maxStackDepth: [0, STACK_DEPTH_MAX],
  requestTimeout: [0, U16_MAX],
};

/**
 * Checks the options of `mountHandler()` that exports do not have, and fills in
 * their defaults.
 *
 * @throws {UserError} If a value cannot be used.
 */
export function checkHandlerOptions(
  options: MountHandlerOptions,
): CheckedHandlerOptions {
  const { handler, root = "directory", name = "mqfuse" } = options;
  const { permissions = "kernel", wanted = {} } = options;
  checkHandler(handler);
  return {
    handler,
    root: checkChoice(root, ROOTS, "root"),
    name: checkName(name),
    permissions: checkChoice(permissions, PERMISSIONS, "permissions"),
    wanted: checkWanted(wanted),
  };
}

function checkHandler(handler: RequestHandler | ModuleSpec): void {
  const { module, handle } = Object(handler) as Record<string, unknown>;
  if (typeof module === "string" || typeof handle === "function") return;
  throw new UserError(
    "Cannot mount the handler: expected an object with a method handle(), or { module: URL }",
  );
}

function checkName(name: string): string {
  const bytes = typeof name === "string"
    ? new TextEncoder().encode(name)
    : new Uint8Array();
  const fits = bytes.length > 0 && bytes.length <= NAME_BYTES_MAX;
  if (fits && !bytes.includes(0)) return name;
  throw new UserError(
    `Cannot use ${
      JSON.stringify(name)
    } (name): expected a text of 1 to ${NAME_BYTES_MAX} bytes without NUL`,
  );
}

function checkWanted(wanted: Partial<WantedCapabilities>): WantedCapabilities {
  const given = Object.entries(wanted).filter(([, value]) =>
    value !== undefined
  );
  const checked: WantedCapabilities = {
    ...USUAL_CAPABILITIES,
    ...Object.fromEntries(given),
  };
  for (const key of Object.keys(RANGES) as (keyof typeof RANGES)[]) {
    const value = checked[key];
    if (value === undefined) continue;
    const [min, max] = RANGES[key];
    checkWholeNumber(value, { name: `wanted.${key}`, min, max });
  }
  const { maxWrite } = checked;
  if (maxWrite % PAGE_SIZE !== 0) {
    throw new UserError(
      `Cannot use ${maxWrite} (wanted.maxWrite): expected a multiple of ${PAGE_SIZE}`,
    );
  }
  const flags = [...USUAL_CAPABILITIES.flags, ...wanted.flags ?? []];
  for (const flag of flags) checkFlag(flag);
  return { ...checked, flags };
}

function checkFlag(flag: InitFlagName): void {
  if (!Object.hasOwn(INIT_FLAGS, flag)) {
    throw new UserError(
      `Cannot use ${flag} (wanted.flags): expected names of INIT flags such as ASYNC_DIO`,
    );
  }
  // The kernel would wait for rings that are never registered.
  if (flag === "OVER_IO_URING") {
    throw new UserError(
      `Cannot use ${flag} (wanted.flags): set the option transport to uring`,
    );
  }
}
