/**
 * The golden files; `deno task golden` writes this.
 *
 * @module
 */
import BATCH_FORGET from "./batch_forget.txt" with { type: "text" };
import COPY_FILE_RANGE from "./copy_file_range.txt" with { type: "text" };
import COPY_FILE_RANGE_64 from "./copy_file_range_64.txt" with { type: "text" };
import CREATE from "./create.txt" with { type: "text" };
import FALLOCATE from "./fallocate.txt" with { type: "text" };
import FLUSH from "./flush.txt" with { type: "text" };
import FORGET from "./forget.txt" with { type: "text" };
import FSYNC from "./fsync.txt" with { type: "text" };
import FSYNCDIR from "./fsyncdir.txt" with { type: "text" };
import GETATTR from "./getattr.txt" with { type: "text" };
import GETLK from "./getlk.txt" with { type: "text" };
import GETXATTR from "./getxattr.txt" with { type: "text" };
import INIT from "./init.txt" with { type: "text" };
import INTERRUPT from "./interrupt.txt" with { type: "text" };
import IOCTL from "./ioctl.txt" with { type: "text" };
import LINK from "./link.txt" with { type: "text" };
import LISTXATTR from "./listxattr.txt" with { type: "text" };
import LOOKUP from "./lookup.txt" with { type: "text" };
import LSEEK from "./lseek.txt" with { type: "text" };
import MKDIR from "./mkdir.txt" with { type: "text" };
import MKNOD from "./mknod.txt" with { type: "text" };
import NOTIFY_DELETE from "./notify_delete.txt" with { type: "text" };
import NOTIFY_INC_EPOCH from "./notify_inc_epoch.txt" with { type: "text" };
import NOTIFY_INVAL_ENTRY from "./notify_inval_entry.txt" with { type: "text" };
import NOTIFY_INVAL_INODE from "./notify_inval_inode.txt" with { type: "text" };
import NOTIFY_POLL from "./notify_poll.txt" with { type: "text" };
import NOTIFY_PRUNE from "./notify_prune.txt" with { type: "text" };
import NOTIFY_REPLY from "./notify_reply.txt" with { type: "text" };
import NOTIFY_RETRIEVE from "./notify_retrieve.txt" with { type: "text" };
import NOTIFY_STORE from "./notify_store.txt" with { type: "text" };
import OPEN from "./open.txt" with { type: "text" };
import OPENDIR from "./opendir.txt" with { type: "text" };
import POLL from "./poll.txt" with { type: "text" };
import READ from "./read.txt" with { type: "text" };
import READDIR from "./readdir.txt" with { type: "text" };
import READDIRPLUS from "./readdirplus.txt" with { type: "text" };
import READLINK from "./readlink.txt" with { type: "text" };
import RELEASE from "./release.txt" with { type: "text" };
import RELEASEDIR from "./releasedir.txt" with { type: "text" };
import REMOVEXATTR from "./removexattr.txt" with { type: "text" };
import RENAME from "./rename.txt" with { type: "text" };
import RENAME2 from "./rename2.txt" with { type: "text" };
import RMDIR from "./rmdir.txt" with { type: "text" };
import SETATTR from "./setattr.txt" with { type: "text" };
import SETLK from "./setlk.txt" with { type: "text" };
import SETLKW from "./setlkw.txt" with { type: "text" };
import SETXATTR from "./setxattr.txt" with { type: "text" };
import STATFS from "./statfs.txt" with { type: "text" };
import STATX from "./statx.txt" with { type: "text" };
import SYMLINK from "./symlink.txt" with { type: "text" };
import TMPFILE from "./tmpfile.txt" with { type: "text" };
import UNLINK from "./unlink.txt" with { type: "text" };
import WRITE from "./write.txt" with { type: "text" };

/** Text of each golden file, by its name. */
export const GOLDEN: Readonly<Record<string, string>> = {
  BATCH_FORGET,
  COPY_FILE_RANGE,
  COPY_FILE_RANGE_64,
  CREATE,
  FALLOCATE,
  FLUSH,
  FORGET,
  FSYNC,
  FSYNCDIR,
  GETATTR,
  GETLK,
  GETXATTR,
  INIT,
  INTERRUPT,
  IOCTL,
  LINK,
  LISTXATTR,
  LOOKUP,
  LSEEK,
  MKDIR,
  MKNOD,
  NOTIFY_DELETE,
  NOTIFY_INC_EPOCH,
  NOTIFY_INVAL_ENTRY,
  NOTIFY_INVAL_INODE,
  NOTIFY_POLL,
  NOTIFY_PRUNE,
  NOTIFY_REPLY,
  NOTIFY_RETRIEVE,
  NOTIFY_STORE,
  OPEN,
  OPENDIR,
  POLL,
  READ,
  READDIR,
  READDIRPLUS,
  READLINK,
  RELEASE,
  RELEASEDIR,
  REMOVEXATTR,
  RENAME,
  RENAME2,
  RMDIR,
  SETATTR,
  SETLK,
  SETLKW,
  SETXATTR,
  STATFS,
  STATX,
  SYMLINK,
  TMPFILE,
  UNLINK,
  WRITE,
};
