/**
 * Limits of Linux's file system calls, most of them of <linux/limits.h>. All
 * in bytes.
 *
 * @module
 */

/**
 * A page of memory. Kernels for aarch64 can be built with larger ones; FUSE
 * counts `max_pages` in the kernel's own.
 */
export const PAGE_SIZE = 4096;

/** Longest name of a directory entry. */
export const NAME_MAX = 255;

/** Longest path, its NUL included. */
export const PATH_MAX = 4096;

/** Longest name of an extended attribute. */
export const XATTR_NAME_MAX = 255;

/** Longest value of an extended attribute. */
export const XATTR_SIZE_MAX = 65536;
