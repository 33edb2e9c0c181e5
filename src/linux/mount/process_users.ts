/**
 * Processes that use a mount, found in /proc.
 *
 * @module
 */

import { ERRNO } from "../../base/errno.ts";
import { AT_FDCWD, closeDescriptor, OPEN } from "../syscall/descriptor.ts";
import { listDirectory } from "../syscall/directory.ts";
import { cString, pointerOf, textOf } from "../syscall/ffi_values.ts";
import { libc } from "../syscall/libc.ts";
import { readLink } from "../syscall/paths.ts";
import { resultOrNull, SystemError } from "../syscall/system_error.ts";
import { readText } from "../syscall/text_file.ts";
import type { MountUser } from "./mount_users.ts";
import { type Mount, parseMountinfo } from "./mountinfo.ts";

/** A process that uses the mount. */
type ProcessUser = Extract<MountUser, { kind: "process" }>;

/** How long the thread may be kept from its event loop, in milliseconds. */
const SLICE_MS = 10;
const MAPS_CHUNK = 65536;

/** One search through all processes. */
export class ProcessSearch {
  /** The processes found so far. */
  readonly users: ProcessUser[] = [];
  /** Every mount that was seen, in any mount namespace. */
  readonly mounts: Mount[];
  /** Whether there are processes that this user may not examine. */
  hidden = false;
  readonly #mount: Pick<Mount, "minor" | "mountPoint">;
  /** The mount's ids: each copy in another mount namespace has its own. */
  readonly #ids: Set<number>;
  readonly #namespaces: Set<string> = new Set();
  readonly #isWanted: () => boolean;
  #sliceEnd = performance.now() + SLICE_MS;

  /**
   * Prepares a search.
   *
   * @param mount The mount.
   * @param mounts The mounts of this process.
   * @param isWanted Whether to go on.
   */
  constructor(
    mount: Pick<Mount, "id" | "minor" | "mountPoint">,
    mounts: readonly Mount[],
    isWanted: () => boolean,
  ) {
    this.#mount = mount;
    this.#ids = new Set([mount.id]);
    this.#isWanted = isWanted;
    this.mounts = [];
    this.#namespaces.add(
      resultOrNull(() => readLink("/proc/self/ns/mnt")) ?? "",
    );
    this.#addMounts(mounts);
  }

  /** Searches open descriptors, and working and root directories. */
  async searchDescriptors(): Promise<void> {
    for (const pid of processes()) {
      if (!await this.#mayGoOn()) return;
      this.#examine(pid, () => {
        this.#addNamespace(pid);
        const how = this.#howOpen(pid);
        if (how !== null) this.#found(pid, how);
      });
    }
  }

  /**
   * Searches memory mappings of the processes that were not found yet. It reads
   * them in another thread, because a process may be waiting, with its memory
   * locked, for what this thread serves.
   */
  async searchMappings(): Promise<void> {
    const known = new Set(this.users.map(({ pid }) => pid));
    const { minor } = this.#mount;
    const device = ` 00:${minor.toString(16).padStart(2, "0")} `;
    for (const pid of processes()) {
      if (known.has(pid)) continue;
      if (!await this.#mayGoOn()) return;
      const maps = await readElsewhere(`/proc/${pid}/maps`);
      if (maps.includes(device)) {
        this.#examine(pid, () => this.#found(pid, "mapping"));
      }
    }
  }

  #howOpen(pid: number): ProcessUser["how"] | null {
    const descriptors = `/proc/${pid}/fdinfo`;
    for (const fd of listDirectory(descriptors)) {
      const info = resultOrNull(() => readText(`${descriptors}/${fd}`)) ?? "";
      const id = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1];
      if (id !== undefined && this.#ids.has(Number(id))) return "descriptor";
    }
    const { mountPoint } = this.#mount;
    const isInside = ["cwd", "root"].some((name) => {
      const path = resultOrNull(() => readLink(`/proc/${pid}/${name}`));
      return path === mountPoint || path?.startsWith(`${mountPoint}/`);
    });
    return isInside ? "directory" : null;
  }

  #found(pid: number, how: ProcessUser["how"]): void {
    const name = readText(`/proc/${pid}/comm`).trimEnd();
    this.users.push({ kind: "process", pid, name, how });
  }

  #addNamespace(pid: number): void {
    const namespace = readLink(`/proc/${pid}/ns/mnt`);
    if (this.#namespaces.has(namespace)) return;
    this.#namespaces.add(namespace);
    this.#addMounts(parseMountinfo(readText(`/proc/${pid}/mountinfo`)));
  }

  #addMounts(mounts: readonly Mount[]): void {
    for (const mount of mounts) {
      this.mounts.push(mount);
      const { major, minor, id } = mount;
      if (major === 0 && minor === this.#mount.minor) this.#ids.add(id);
    }
  }

  #examine(pid: number, use: () => void): void {
    try {
      use();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      const { errno } = error;
      // Otherwise the process has ended meanwhile.
      if (errno !== ERRNO.EACCES && errno !== ERRNO.EPERM) return;
      // Threads of the kernel have no arguments, and no descriptors.
      if (resultOrNull(() => readText(`/proc/${pid}/cmdline`))) {
        this.hidden = true;
      }
    }
  }

  async #mayGoOn(): Promise<boolean> {
    if (performance.now() >= this.#sliceEnd) {
      await new Promise((resolve) => setTimeout(resolve));
      this.#sliceEnd = performance.now() + SLICE_MS;
    }
    return this.#isWanted();
  }
}

function processes(): number[] {
  return listDirectory("/proc").map(Number).filter(Number.isInteger);
}

/** Reads a file in threads of Deno's pool; nothing of it if that fails. */
async function readElsewhere(path: string): Promise<string> {
  const { openat_nonblocking: open, read_nonblocking: read } = libc();
  const name = cString(path);
  const fd = await open(AT_FDCWD, name, OPEN.RDONLY | OPEN.CLOEXEC, 0);
  if (fd < 0) return "";
  const chunk = new Uint8Array(MAPS_CHUNK);
  let text = "";
  try {
    for (;;) {
      const count = await read(fd, pointerOf(chunk), BigInt(MAPS_CHUNK));
      if (count <= 0) return text;
      text += textOf(chunk, count);
    }
  } finally {
    closeDescriptor(fd);
  }
}
