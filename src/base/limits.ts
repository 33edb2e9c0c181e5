/**
 * Limits of Linux's file system calls: <linux/limits.h>.
 *
 * @module
 */

/**
 * A page of memory in bytes. Kernels for aarch64 may be built with larger pages,
 * which this library does not support.
 *
 * @category Flags and constants
 */
export const PAGE_SIZE = 4096;

/**
 * Longest name of a directory entry, in bytes.
 *
 * @category Flags and constants
 */
export const NAME_MAX = 255;

/**
 * Longest path, its NUL included, in bytes.
 *
 * @category Flags and constants
 */
export const PATH_MAX = 4096;

/**
 * Longest name of an extended attribute, in bytes.
 *
 * @category Flags and constants
 */
export const XATTR_NAME_MAX = 255;

/**
 * Longest value of an extended attribute, in bytes.
 *
 * @category Flags and constants
 */
export const XATTR_SIZE_MAX = 65536;
