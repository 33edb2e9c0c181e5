/**
 * Giving up the rights of root once everything is open, locked and mounted.
 *
 * @module
 */
import { UserError } from "../base/user_error.ts";
import type { FuseMount } from "../linux/mount/fuse_mount.ts";
import {
  startUnmountHelper,
  type UnmountHelper,
} from "../linux/mount/unmount_helper.ts";
import {
  becomeUser,
  type Identity,
  lookUpIdentity,
  requireRoot,
} from "../linux/syscall/credentials.ts";

/** The user and group that a program runs as while it serves. */
export interface RunAs {
  /** The name or number of a user; no change if left out. */
  readonly user?: string;
  /** The name or number of a group; the user's own one if left out. */
  readonly group?: string;
}

/**
 * Checks that this program can become a user.
 *
 * @returns The user, or `null` if none was given.
 * @throws {UserError} If there is no such user or group, or it cannot.
 */
export function checkRunAs({ user, group }: RunAs): Identity | null {
  if (user === undefined) {
    if (group === undefined) return null;
    throw new UserError(
      `Cannot run as group ${group} alone: root may do everything in any group; give a user too`,
    );
  }
  requireRoot();
  return lookUpIdentity(user, group);
}

/** What is left to a child process that keeps the rights of root. */
export interface Inheritance {
  /** The mount, which it unmounts. */
  readonly mount: FuseMount;
  /** Paths of files, which it removes at the end. */
  readonly files: readonly string[];
  /** Whether to accept paths of `files` that other users can change. */
  readonly insecurePath: boolean;
}

/**
 * Leaves the unmount, and files, to a child process that keeps the rights of
 * this one, and makes this one run as a user.
 *
 * @param identity The user.
 * @param started Receives the child process: it has to be ended even if this
 * fails afterwards.
 * @throws {UserError} If that fails.
 */
export function giveUpRights(
  identity: Identity,
  { mount, files, insecurePath }: Inheritance,
  started: (helper: UnmountHelper) => void,
): void {
  const { id, connection: minor, path: mountPoint } = mount;
  const helper = startUnmountHelper({
    mount: { id, minor, mountPoint },
    files,
    insecurePath,
    advice: "leave user out",
  });
  started(helper);
  mount.handOver(helper);
  becomeUser(identity);
}
