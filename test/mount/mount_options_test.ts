import { assertEquals, assertMatch } from "@std/assert";
import {
  INSTALLED_HELPER_NEEDS,
  withInstalledHelper,
} from "./_installed_helper.ts";
import { mountTest } from "./_harness.ts";

function helperTest(
  name: string,
  script: string,
  check: (lines: string[]) => void,
): void {
  mountTest(name, async (directory) => {
    await Deno.chmod(directory, 0o755);
    check(await withInstalledHelper(directory, script));
  }, INSTALLED_HELPER_NEEDS);
}

helperTest(
  "mount(8): noexec and user keep another user from running a program",
  `for options in noexec user user,exec; do
  echo "$PWD/disk.img $PWD/mnt.img fuse.mqfuse noauto,queues=1,$options 0 0" >fstab
  mount --fstab fstab "$PWD/mnt.img"
  flags
  chmod 755 mnt.img
  $nobody ./mnt.img || echo "status $?"
  unmount
done`,
  (lines) => {
    assertEquals(lines.map((line) => line.replace(/^setpriv: .*: /, "")), [
      "rw nosuid nodev noexec noatime rw",
      "Permission denied",
      "status 126",
      "rw nosuid nodev noexec noatime rw",
      "Permission denied",
      "status 126",
      "rw nosuid nodev noatime rw",
      "ran",
    ]);
  },
);

helperTest(
  "mount(8): the kernel gets the flags of the mount",
  `for options in \\
  dirsync,sync,nosymfollow,nodiratime,lazytime,iversion,silent,relatime \\
  mount-options=suid,mount-options=dev,strictatime \\
  ro; do
  mount -t fuse.mqfuse disk.img mnt.img -o "queues=1,$options"
  flags
  unmount
done
echo "$PWD/disk.img $PWD/mnt.img fuse.mqfuse defaults,auto,nofail,_netdev,x-a=b,comment=c,queues=1 0 0" >fstab
mount --fstab fstab --target "$PWD/mnt.img"
flags
unmount`,
  (lines) => {
    assertEquals(lines, [
      "rw nosuid nodev nodiratime relatime nosymfollow rw sync dirsync lazytime",
      "rw rw",
      "ro nosuid nodev noatime ro",
      "rw nosuid nodev noatime rw",
    ]);
  },
);

helperTest(
  "mount -a mounts what fstab says, once",
  `echo "$PWD/disk.img $PWD/mnt.img fuse.mqfuse queues=1 0 0" >fstab
for time in first second; do
  mount --all --fstab fstab
  grep -c " $PWD/mnt.img fuse.mqfuse " /proc/mounts
done
cmp disk.img mnt.img && echo same
unmount
grep " $PWD/mnt.img " /proc/mounts || echo gone`,
  (lines) => assertEquals(lines, ["1", "1", "same", "gone"]),
);

helperTest(
  "mount(8): -N mounts in another mount namespace",
  `mkfifo end
unshare --mount --propagation private sh -c ': >end' &
sleeper=$!
until [ "$(readlink /proc/$sleeper/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]; do
  sleep 0.05
done
mount -N "/proc/$sleeper/ns/mnt" -t fuse.mqfuse "$PWD/disk.img" "$PWD/mnt.img" -o queues=1,ro
echo "here: $(flags)"
inside="nsenter --mount=/proc/$sleeper/ns/mnt --"
echo "there: $($inside grep -c "$PWD/mnt.img fuse.mqfuse ro," /proc/mounts)"
$inside cmp "$PWD/disk.img" "$PWD/mnt.img" && echo same
$inside umount "$PWD/mnt.img"
: <end
wait`,
  (lines) => assertEquals(lines, ["here: ", "there: 1", "same"]),
);

helperTest(
  "mount(8): an ordinary user mounts what fstab says",
  `mknod layer/fuse c 10 229
chmod 666 layer/fuse
mount --bind layer/fuse /dev/fuse
chown 65534:65534 . disk.img mnt.img
for options in user,exec user,nodiratime,sync user,suid user,nosymfollow; do
  echo "$PWD/disk.img $PWD/mnt.img fuse.mqfuse noauto,queues=1,transport=device,$options 0 0" >fstab
  mount --bind fstab /etc/fstab
  if $nobody mount "$PWD/mnt.img"; then
    flags
    $nobody umount "$PWD/mnt.img"
  else
    echo "status $?"
  fi
  flags
  umount /etc/fstab
done`,
  (lines) => {
    const refused = (option: string) =>
      `mqfuse: Cannot mount with the option ${option}: only root may use it; leave it out, or run as root`;
    assertEquals(lines, [
      "rw nosuid nodev noatime rw",
      "rw nosuid nodev noexec noatime rw sync",
      refused("suid"),
      "status 32",
      refused("nosymfollow"),
      "status 32",
    ]);
  },
);

const WRITE = `write() {
  echo "$1" | dd of=mnt.img conv=notrunc,fsync status=none &&
    echo "wrote $1" || :
}
`;

helperTest(
  "mount -o remount changes a mounted export",
  `${WRITE}mount -t fuse.mqfuse disk.img mnt.img -o queues=1
mount -o remount,ro mnt.img
flags
write one
mount -o remount,rw,noexec mnt.img
flags
write two
mount -o remount,exec,sync mnt.img
flags
write three
head -c 6 disk.img
exec 3>>mnt.img
mount -o remount,ro mnt.img || echo "status $?"
exec 3>&-
flags
echo "$PWD/disk.img $PWD/mnt.img fuse.mqfuse user,queues=1 0 0" >fstab
mount --fstab fstab -o remount,ro "$PWD/mnt.img"
flags
$nobody "$(readlink -f /sbin)/mount.fuse.mqfuse" disk.img mnt.img -o remount,rw ||
  echo "status $?"
flags
unmount`,
  (lines) => {
    assertEquals(lines.slice(0, 7), [
      "ro nosuid nodev noatime ro",
      "dd: failed to open 'mnt.img': Read-only file system",
      "rw nosuid nodev noexec noatime rw",
      "wrote two",
      "rw nosuid nodev noatime rw sync",
      "wrote three",
      "three",
    ]);
    const rest = lines.slice(7).filter((line) => !line.includes("dmesg"));
    assertMatch(rest[0]!, /mount point is busy/);
    assertEquals(rest.slice(1), [
      "status 32",
      "rw nosuid nodev noatime rw sync",
      "mount.fuse.mqfuse: --queues=1 stays as it was at the start of the export",
      "ro nosuid nodev noexec noatime ro",
      "mount.fuse.mqfuse: Cannot remount mnt.img: only root can change how it is mounted",
      "status 32",
      "ro nosuid nodev noexec noatime ro",
    ]);
  },
);

helperTest(
  "a read-only export stays read-only when it is remounted",
  `${WRITE}mount -t fuse.mqfuse disk.img mnt.img -o queues=1,ro
mount -o remount,rw mnt.img || echo "status $?"
flags
write one
# Past the helper, the kernel does it, and the export refuses.
mount -i -o remount,rw mnt.img
flags
write two
cmp disk.img mnt.img && echo same
unmount`,
  (lines) => {
    const refused = "dd: failed to open 'mnt.img': Read-only file system";
    assertMatch(lines[0]!, /Cannot remount \S+ read-write: its export is read/);
    assertEquals(lines.slice(1), [
      "status 32",
      "ro nosuid nodev noatime ro",
      refused,
      "rw nosuid nodev noatime rw",
      refused,
      "same",
    ]);
  },
);
