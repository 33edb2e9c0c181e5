/**
 * The error numbers that backends answer with. `src/protocol` has them all;
 * this floor imports nothing but itself.
 */
export const ERRNO = {
  EIO: 5,
  ENXIO: 6,
  ENOMEM: 12,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  EOPNOTSUPP: 95,
} as const;
