/**
 * What is measured on a tree: rows of a table, each one command that runs in a
 * mounted directory.
 *
 * @module
 */

/** How many files the trees of programs have. */
export const FILES = 5000;
/** How many files fio makes, looks at and deletes. */
const FIO_FILES = 5000;
/** Size of the file that fio reads and writes. */
const DATA_SIZE = "256m";

/** One row. */
export interface Row {
  readonly name: string;
  /** The command of bash(1) whose time counts. */
  readonly command: string;
  /**
   * Whether fio runs it, and its own time counts: without the time that it
   * takes to start.
   */
  readonly isFio: boolean;
}

/**
 * Makes what the rows use, in the directory itself: `tree`, `tree.tar`, a
 * repository `repo` whose index is fresh, and the file `data`.
 */
export const PREPARE = `
  rm -rf tree repo out fio; mkdir tree fio
  for d in $(seq 50); do
    mkdir tree/$d
    for f in $(seq ${FILES / 50}); do
      head -c $((f * 80)) /dev/zero > tree/$d/$f.txt
    done
  done
  tar -cf tree.tar tree; cp -a tree repo; cd repo
  git init -q; git add -A; git -c user.name=a -c user.email=a commit -qm all
  git status > /dev/null; cd ..
  head -c ${DATA_SIZE} /dev/urandom > data
`;

/** All rows, in the order in which they run after a mount. */
export const ROWS: readonly Row[] = [
  program("find, first", "find tree > /dev/null"),
  program("find -size", "find tree -size 3k > /dev/null"),
  program("git status, first", "git -C repo status > /dev/null"),
  program("git status, again", "git -C repo status > /dev/null"),
  program("tar x", "mkdir out && tar -xf tree.tar -C out"),
  program("rm -r", "rm -r out"),
  files("filecreate"),
  files("filestat"),
  files("filedelete"),
  data("randread", "4k", false),
  data("randwrite", "4k", false),
  data("read", "1m", false),
  data("write", "1m", false),
  data("randread", "4k", true),
  data("randwrite", "4k", true),
  data("read", "1m", true),
  data("write", "1m", true),
];

function program(name: string, command: string): Row {
  return { name, command, isFio: false };
}

function files(engine: string): Row {
  const options = [
    `--name=f --ioengine=${engine} --directory=fio --nrfiles=${FIO_FILES}`,
    "--filesize=4k --create_on_open=1 --openfiles=1",
  ];
  return fio(engine, options);
}

function data(pattern: string, size: string, direct: boolean): Row {
  const options = [
    `--name=d --filename=data --rw=${pattern} --bs=${size}`,
    `--direct=${direct ? 1 : 0} --ioengine=psync --size=${DATA_SIZE}`,
    // The cache that fio would drop is the mount's, which has no part in it.
    "--invalidate=0",
    // As much as a second's work of each.
    `--io_size=${size === "4k" ? "64m" : DATA_SIZE} --randrepeat=1`,
  ];
  return fio(`${pattern} ${size} ${direct ? "direct" : "cached"}`, options);
}

function fio(name: string, options: readonly string[]): Row {
  const command = `fio ${options.join(" ")} --output-format=json`;
  return { name, command, isFio: true };
}
