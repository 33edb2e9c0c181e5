/**
 * What a program runs on: the export that shows the disk, an ext4 file system on
 * a loop device on it, or the export that shows a virtual machine's disk.
 */
export type Place = "file" | "loop" | "guest";

/**
 * A program that is timed. Its scripts are those of bash(1), and find in their
 * environment EXPORT, the exported file; SOURCE, a file as long as it; COPY, a
 * path to write to; MOUNT, a directory; and ARCHIVE, a source tree as tar(1)
 * writes it.
 */
export interface Program {
  readonly name: string;
  /** What it does, in reports. */
  readonly label: string;
  readonly place: Place;
  /** The commands that have to be installed. */
  readonly needs: readonly string[];
  /** Runs before it, and is not timed. */
  readonly before?: string;
  /** What is timed; `sync` is part of it where a user would wait for it. */
  readonly run: string;
  /** Fails if its result is wrong; runs in the first round, and is not timed. */
  readonly check?: string;
  /** Removes what it has left, and is not timed. */
  readonly after?: string;
}

const FORGET = `dd if="$EXPORT" iflag=nocache count=0 status=none`;
const SAME_COPY = {
  check: `dd if="$EXPORT" bs=1M status=none | cmp - "$COPY"`,
  after: `rm "$COPY"`,
};
const SAME_SOURCE = {
  check: `dd if="$EXPORT" bs=1M status=none | cmp - "$SOURCE"`,
};
const MAKE = `mkfs.ext4 -q -F "$EXPORT"`;
const ATTACH = `losetup --find --show "$EXPORT" >"$COPY.loop"
mount "$(<"$COPY.loop")" "$MOUNT"`;
const CLEAN = `e2fsck -f -n "$EXPORT" >/dev/null 2>&1`;
const DETACH = `losetup --detach "$(<"$COPY.loop")"`;

/** All programs, in the order of the reports. */
export const PROGRAMS: readonly Program[] = [
  {
    name: "cp-from",
    label: "cp from the export",
    place: "file",
    needs: ["cp", "cmp"],
    before: FORGET,
    run: `cp "$EXPORT" "$COPY"`,
    ...SAME_COPY,
  },
  {
    name: "cp-to",
    label: "cp to the export",
    place: "file",
    needs: ["cp", "cmp"],
    run: `cp "$SOURCE" "$EXPORT"`,
    ...SAME_SOURCE,
  },
  {
    name: "dd-read",
    label: "dd bs=1M from it",
    place: "file",
    needs: ["dd"],
    before: FORGET,
    run: `dd if="$EXPORT" of=/dev/null bs=1M status=none`,
  },
  {
    name: "dd-write",
    label: "dd bs=1M to it",
    place: "file",
    needs: ["dd", "cmp"],
    run: `dd if="$SOURCE" of="$EXPORT" bs=1M conv=notrunc,fsync status=none`,
    ...SAME_SOURCE,
  },
  {
    name: "qemu-img-from",
    label: "qemu-img convert from it",
    place: "file",
    needs: ["qemu-img", "cmp"],
    before: FORGET,
    run: `qemu-img convert -f raw -O raw "$EXPORT" "$COPY"`,
    ...SAME_COPY,
  },
  {
    name: "qemu-img-to",
    label: "qemu-img convert to it",
    place: "file",
    needs: ["qemu-img", "cmp"],
    run: `qemu-img convert -n -f raw -O raw "$SOURCE" "$EXPORT"`,
    ...SAME_SOURCE,
  },
  {
    name: "rsync",
    label: "rsync from it",
    place: "file",
    needs: ["rsync", "cmp"],
    before: FORGET,
    run: `rsync "$EXPORT" "$COPY"`,
    ...SAME_COPY,
  },
  {
    name: "sha256sum",
    label: "sha256sum",
    place: "file",
    needs: ["sha256sum"],
    before: FORGET,
    run: `sha256sum <"$EXPORT" >"$COPY"`,
    check: `dd if="$EXPORT" bs=1M status=none | sha256sum | cmp - "$COPY"`,
    after: `rm "$COPY"`,
  },
  {
    name: "mkfs",
    label: "mkfs.ext4",
    place: "loop",
    needs: ["mkfs.ext4", "e2fsck"],
    run: MAKE,
    check: CLEAN,
  },
  {
    name: "tar-to-loop",
    label: "tar x onto ext4 on a loop device",
    place: "loop",
    needs: ["tar", "mkfs.ext4", "losetup", "mount"],
    before: `${MAKE}\n${ATTACH}`,
    run: `tar -xf "$ARCHIVE" -C "$MOUNT"\numount "$MOUNT"`,
    check: CLEAN,
    after: DETACH,
  },
  {
    name: "tar-from-loop",
    label: "tar c from ext4 on a loop device",
    place: "loop",
    needs: ["tar", "mkfs.ext4", "losetup", "mount"],
    before: `${MAKE}\n${ATTACH}
tar -xf "$ARCHIVE" -C "$MOUNT"
umount "$MOUNT"
${DETACH}
${FORGET}
${ATTACH}`,
    run: `tar -cf - -C "$MOUNT" . | wc -c >"$COPY"`,
    check: `test "$(<"$COPY")" -ge "$(stat -c %s "$ARCHIVE")"`,
    after: `umount "$MOUNT"\n${DETACH}`,
  },
  {
    name: "boot",
    label: "boot of a virtual machine",
    place: "guest",
    needs: ["qemu-system-x86_64"],
    before: `${FORGET}\n: >"$COPY"`,
    run: `truncate -s 64M "$COPY.scratch"
qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 512 \\
  -nodefaults -no-reboot -display none \\
  -kernel "$GUEST/newest/vmlinuz" -initrd "$GUEST/newest/initrd.gz" \\
  -append "console=ttyS0 quiet panic=-1 no_timer_check" \\
  -drive "file=$EXPORT,format=raw,if=virtio,snapshot=on" \\
  -drive "file=$ARCHIVE.job,format=raw,if=virtio,readonly=on" \\
  -drive "file=$COPY.scratch,format=raw,if=virtio,cache=unsafe" \\
  -serial null -serial "file:$COPY"`,
    check: `grep -q "^GUEST-STATUS 0" "$COPY"`,
    after: `rm -f "$COPY" "$COPY.scratch"`,
  },
];

/** The program of a name. */
export function programNamed(name: string): Program {
  const program = PROGRAMS.find((each) => each.name === name);
  if (program !== undefined) return program;
  throw new Error(`There is no program "${name}"`);
}
