/**
 * The table of options. Help texts, the parser and the scripts in contrib/ all
 * follow it.
 *
 * @module
 */
import { UserError } from "../../base/user_error.ts";
import { WEB_OPTIONS } from "./web_options.ts";
import { IMAGE_OPTIONS } from "./image_options.ts";

/** One option. */
interface OptionRow {
  /** Its one-letter form, if it has one. */
  readonly letter?: string;
  /** The name of its value in help texts; a flag without a value has none. */
  readonly value?: string;
  /** The value if none is given; `--name=value` gives another. */
  readonly implied?: string;
  /** Given more than once, all of its values count, separated by commas. */
  readonly list?: true;
  /** What it does. */
  readonly help: string;
}

/**
 * Every option of every command. Those of `export` have the names of
 * `MountExportOptions`, those of `mount` the names of `MirrorMountOptions`, in
 * kebab case; `--no-` turns off what is on by default.
 */
export const OPTIONS = {
  queues: {
    letter: "q",
    value: "N",
    help:
      "serve through N queues, with a Worker each (default: as many as there are CPUs, at most 4)",
  },
  writable: {
    letter: "w",
    help: "allow programs to write to the file (default: read-only)",
  },
  "read-only": {
    letter: "r",
    help: "let programs only read (default: what the file system allows)",
  },
  "attr-seconds": {
    value: "SECONDS",
    help:
      "let the kernel keep attributes of files this long, without asking again (default: 1)",
  },
  "entry-seconds": {
    value: "SECONDS",
    help: "let the kernel keep names that were found this long (default: 1)",
  },
  "negative-seconds": {
    value: "SECONDS",
    help:
      "let the kernel keep this long that there is no such name (default: 0)",
  },
  "file-cache": {
    value: "open|keep|none",
    help:
      "let the kernel keep what was read of a file while it is open, or until the file changes, or nothing of it (default: open)",
  },
  "auto-unmount": {
    value: "auto|on|off",
    help:
      "unmount even if this program is killed, by a small process beside it; needs root (default: auto, on as root)",
  },
  growable: {
    help: "with -w: writing beyond the end makes the image larger",
  },
  truncate: {
    value: "refuse|zero|as-qemu",
    help:
      "with -w, if the size is fixed: refuse to truncate the file, zero what is cut off and keep the size, or do as QEMU does: ignore O_TRUNC, and let truncate and fallocate change the size (default: refuse)",
  },
  writethrough: {
    help: "with -w: every write is durable before it is answered; slow",
  },
  partition: {
    value: "N|NAME|UUID",
    help:
      "export this partition of the image, by its number, name or UUID; 'info' lists them (default: all of the image)",
  },
  partitions: {
    help:
      "export each partition of the image as a file in MOUNTPOINT, an existing directory; its name is the number, and a link has the partition's name",
  },
  offset: {
    value: "SIZE",
    help:
      "export the image from this byte on, counted in the partition if one is given (default: 0)",
  },
  size: {
    value: "SIZE",
    help: "export this many bytes of the image (default: all up to its end)",
  },
  snapshot: {
    value: "NAME",
    help:
      "export an internal snapshot of the image, by its id or name, read-only (default: the current state)",
  },
  backing: {
    value: "SOURCE",
    help:
      "use this image below SOURCE, in place of the one that SOURCE names: raw:PATH, qcow2:PATH or another source",
  },
  overlay: {
    value: "memory[:SIZE]|PATH",
    help:
      "let programs write, and leave the image as it is: keep what they write in memory (default SIZE: half of what is available), or in a new qcow2 image at PATH, which is removed at the end",
  },
  "overlay-keep": {
    help:
      "keep the overlay at PATH at the end; the next export with it goes on with it",
  },
  ...IMAGE_OPTIONS,
  "allow-reference": {
    value: "DIR",
    list: true,
    help:
      "let images name files in DIR and below, such as a backing file; several are separated by commas (default: only the image's own directory and below)",
  },
  reconnect: {
    value: "SECONDS",
    help:
      "wait up to SECONDS for a connection to a server that was lost, before requests fail with EIO (default: 60)",
  },
  "cache-size": {
    value: "SIZE",
    help:
      "keep this much of the tables of images in memory, for all images of a chain together, and as much of each image on a web server (default: 32M)",
  },
  "tls-ca": {
    value: "PATH",
    help:
      "by TLS, trust servers whose certificate an authority in this file has signed, in PEM (default: those that the system trusts)",
  },
  "tls-cert": {
    value: "PATH",
    help:
      "by TLS, present the certificate in this file to servers that want one, in PEM",
  },
  "tls-key": {
    value: "PATH",
    help:
      "the private key of --tls-cert, in PEM and without a password (default: the one in the file of the certificate)",
  },
  "tls-hostname": {
    value: "NAME",
    help:
      "by TLS, expect a certificate for NAME (default: the host in SOURCE, localhost for a Unix socket)",
  },
  ...WEB_OPTIONS,
  "queue-memory": {
    value: "SIZE",
    help:
      "let outstanding requests and their replies take this much memory, all queues together (default: 64M, over io_uring 256M)",
  },
  transport: {
    value: "auto|device|uring",
    help:
      "how requests reach the export: by /dev/fuse, or by FUSE over io_uring (default: auto, io_uring where this kernel has it enabled)",
  },
  batching: {
    value: "auto|off",
    help:
      "over /dev/fuse, read and answer several requests by one system call while they come fast, by io_uring (default: auto, where it is possible)",
  },
  passthrough: {
    value: "auto|on|off",
    help:
      "let the kernel read and write the image itself, without the queues; auto does so for a whole regular file that is read-only or growable (default: off)",
  },
  "direct-writes": {
    value: "auto|kernel",
    help:
      "of mirror with passthrough: who serves files that programs open for writing with O_DIRECT; auto: the kernel on tmpfs, the mirror elsewhere; kernel: always the kernel, which is faster, but gives EINVAL to programs that turn O_DIRECT off for a last short block, as dd does (default: auto)",
  },
  cache: {
    value: "none|auto|writeback",
    help:
      "keep nothing of the file in the kernel's page cache; keep what was read, where the image is a plain file, locked and read-only; or keep what was written too, and send it later (default: none)",
  },
  "poll-us": {
    value: "auto|N",
    help:
      "poll for N microseconds before sleeping, 0 for not at all (default: auto, adapts to the load)",
  },
  splice: {
    value: "auto|off|SIZE",
    help:
      "over /dev/fuse: answer READs of SIZE bytes and more, 4k to 1M, by splice, which copies them once less; for raw files in the page cache (default: auto, 16k for a file in memory, 64k for one on a disk)",
  },
  direct: {
    help: "use direct I/O on the image (O_DIRECT)",
  },
  "loop-safe": {
    help:
      "never wait for itself, although a loop device, swap or a file system lies on the file; uses --direct, and needs CAP_SYS_RESOURCE",
  },
  "allow-other": {
    value: "off|on|auto",
    help:
      "allow access by other users, as far as the file's mode allows it; without root this needs user_allow_other in /etc/fuse.conf (default: auto, on where it is allowed)",
  },
  uid: {
    value: "USER",
    help:
      "show the file as owned by this user, a number or a name (default: the user who exports it)",
  },
  gid: {
    value: "GROUP",
    help:
      "show the file with this group, a number or a name (default: the group of the user who exports it)",
  },
  mode: {
    value: "MODE",
    help:
      "give the file these permission bits, in octal (default: 600, without -w 400)",
  },
  "mount-options": {
    letter: "o",
    value: "LIST",
    list: true,
    help:
      "mount with these options of mount(8), separated by commas, such as noexec or dirsync (default: nosuid,nodev,noatime)",
  },
  "insecure-path": {
    help:
      "accept paths that other users can make lead elsewhere, because they may write to a directory on the way; by default these are refused",
  },
  "no-lock": {
    help:
      "do not lock the image; by default it is locked as QEMU locks it, against other programs that write to it",
  },
  user: {
    value: "USER",
    help:
      "as root: once the file is mounted, run as USER, a name or number, without the rights of root; a small process of root unmounts at the end",
  },
  group: {
    value: "GROUP",
    help:
      "with --user: run in GROUP, a name or number (default: the user's own group)",
  },
  pidfile: {
    letter: "P",
    value: "FILE",
    help: "write the process id to FILE when ready, and remove it at the end",
  },
  "stop-timeout": {
    value: "SECONDS",
    help:
      "when stopped while programs use the file, wait up to SECONDS for them before unmounting by force (default: 10)",
  },
  timeout: {
    value: "SECONDS",
    help: "wait up to SECONDS for the reply of the export (default: 30)",
  },
  stats: {
    value: "SECONDS",
    implied: "1",
    help:
      "every SECONDS (default: 1) and at the end, print requests and bytes per second and latencies of each queue",
  },
  watch: {
    value: "SECONDS",
    implied: "1",
    help: "print again every SECONDS (default: 1), until Ctrl-C",
  },
  control: {
    value: "PATH",
    help:
      "accept the commands of 'ctl' on a socket at PATH that only this user can connect to",
  },
  json: {
    help: "print events to standard output, one JSON object per line",
  },
  "log-format": {
    value: "text|json",
    help:
      "tell on standard error what happens in sentences, or as events, one JSON object per line (default: text)",
  },
  repair: {
    value: "leaks|all",
    help:
      "free clusters that nothing refers to, or repair everything that can be repaired (default: only look)",
  },
  map: {
    help: "print where the bytes of each range are, and nothing else",
  },
  trace: {
    help: "print each message from and to the kernel; slow",
  },
  wire: {
    help:
      "print the bytes of each message instead: a wire log, which 'decode' reads",
  },
  perfetto: {
    value: "FILE",
    help:
      "write the log to FILE as a trace for the viewer at ui.perfetto.dev, and print nothing",
  },
  jobs: {
    value: "N",
    help: "simulate N jobs like fio's (default: 4)",
  },
  depth: {
    value: "N",
    help:
      "keep N requests of each job in flight; 1 is synchronous (default: 16)",
  },
  bs: {
    value: "SIZE",
    help: "size of a request in bytes (default: 4k)",
  },
  rw: {
    value: "PATTERN",
    help: "read, write, rw, randread, randwrite or randrw (default: randread)",
  },
  requests: {
    value: "N",
    help: "requests of each job (default: 2000)",
  },
  policy: {
    value: "POLICY",
    help:
      "which queue gets a request: round-robin, exclusive-fifo (blocked readers), herd (polling readers) or uring (queues by CPU) (default: round-robin)",
  },
  cores: {
    value: "N",
    help: "CPUs of the simulated machine (default: enough for all)",
  },
  seed: {
    value: "N",
    help: "seed of all random numbers (default: 1)",
  },
  faults: {
    value: "LIST",
    help:
      "faults to inject: none, all, names separated by commas, or swarm to draw everything from the seed (default: none)",
  },
  timeline: {
    value: "FILE",
    list: true,
    help:
      "draw what happened to each request, to a FILE.svg, or to a FILE.html that zooms and tells what is pointed at",
  },
  window: {
    value: "FROM-TO",
    help:
      "with --timeline: draw this part of virtual time, in microseconds (default: the first 160 requests as svg, 2000 as html)",
  },
  help: {
    letter: "h",
    help: "print this text",
  },
  version: {
    letter: "V",
    help: "print the version",
  },
} as const satisfies Record<string, OptionRow>;

/** The name of an option. */
export type OptionName = keyof typeof OPTIONS;

/** The row of an option. */
export function optionRow(name: OptionName): OptionRow {
  return OPTIONS[name];
}

/** The command line is wrong: the program ends with exit code 2. */
export class UsageError extends UserError {
  override name = "UsageError";
}
