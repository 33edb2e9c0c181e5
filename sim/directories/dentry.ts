/**
 * Names that come, go and move: what fs/dcache.c does.
 *
 * @module
 */
import { type Dentry, detach } from "./node.ts";

/** Gives a directory one more known name; what had it before is dropped. */
export function attach(parent: Dentry, name: string, dentry: Dentry): void {
  const before = parent.children.get(name);
  if (before !== undefined && before !== dentry) detach(before);
  dentry.name = name;
  dentry.parent = parent;
  parent.children.set(name, dentry);
}

/** Moves a dentry to another place: `d_move()`. */
export function move(dentry: Dentry, parent: Dentry, name: string): void {
  dentry.parent.children.delete(dentry.name);
  attach(parent, name, dentry);
}

/** Has two dentries change places: `d_exchange()`. */
export function exchange(one: Dentry, other: Dentry): void {
  const { parent, name } = other;
  one.parent.children.set(one.name, other);
  parent.children.set(name, one);
  other.parent = one.parent;
  other.name = one.name;
  one.parent = parent;
  one.name = name;
}

/**
 * Drops what nobody uses, from the leaves on: `shrink_dcache_sb()`, as
 * `echo 2 > /proc/sys/vm/drop_caches` does.
 */
export function prune(dentry: Dentry): void {
  for (const child of [...dentry.children.values()]) {
    prune(child);
    if (child.children.size === 0 && !child.isUsed) detach(child);
  }
}
