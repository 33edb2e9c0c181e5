/**
 * File systems of modules that the user names.
 *
 * @module
 */
import { messageOf } from "../../base/message_of.ts";
import { UserError } from "../../base/user_error.ts";
import type { FileSystem } from "../../filesystem/file_system.ts";
import { readLink } from "../../linux/syscall/paths.ts";
import type { MirrorMountOptions } from "../../session/mount_mirror.ts";
import type { Session } from "../../session/session.ts";
import { mountTree } from "./mount_tree.ts";

/**
 * Mounts the file system of a module, which this thread serves.
 *
 * @param module A path or URL.
 * @throws {UserError} If it cannot be imported, or is no file system.
 */
export async function mountModule(
  module: string,
  mountpoint: string,
  options: MirrorMountOptions,
): Promise<Session> {
  return mountTree(
    await importFileSystem(module),
    module,
    mountpoint,
    options,
  );
}

async function importFileSystem(module: string): Promise<FileSystem<object>> {
  let made: unknown;
  try {
    const { default: given } = await import(urlOf(module));
    made = typeof given === "function" ? await given() : given;
  } catch (error) {
    const advice = error instanceof Deno.errors.NotCapable ||
        /--allow-/.test(messageOf(error))
      ? "; grant what it needs, such as --allow-read, to deno run"
      : "";
    throw new UserError(
      `Cannot mount the module ${module}: ${messageOf(error)}${advice}`,
      { cause: error },
    );
  }
  if (isFileSystem(made)) return made;
  throw new UserError(
    `Cannot mount the module ${module}: its default export must be a FileSystem, with root and getattr(), or a function that returns one`,
  );
}

function isFileSystem(value: unknown): value is FileSystem<object> {
  const { root, getattr } = Object(value) as Record<string, unknown>;
  return typeof root === "object" && root !== null &&
    typeof getattr === "function";
}

function urlOf(module: string): string {
  if (/^[a-z][a-z0-9+.-]+:/i.test(module)) return module;
  const base = `file://${encodeURI(readLink("/proc/self/cwd"))}/`;
  return new URL(encodeURI(module), base).href;
}
