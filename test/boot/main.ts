/**
 * Boots Debian from the mount of a qcow2 image with two images below it (root,
 * Debian, x86_64).
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { hasSetting, withSetting } from "../mount/_uring.ts";
import { DebianDisk, type DiskOptions } from "./disk.ts";
import { BOOT_S } from "./guest.ts";

const HELP = `deno task boot [OPTIONS]

Installs Debian by debootstrap, writes it to base.qcow2 through an export, and
boots it three times from the export of an image: mid.qcow2 over base.qcow2, and
twice top.qcow2 over both. Each guest uses the disk and turns itself off; the
last one frees space by fstrim. Ends with status 1 if a guest does not boot or
finds wrong bytes, if a file system or an image is not clean afterwards, or if
top.qcow2 does not become smaller on disk by fstrim.

  --transport LIST  device, uring (default: both)
  --dir DIR         where Debian is installed once, and images are made
                    (default: /var/tmp/mqfuse-boot)
  --kvm             run guests by KVM; without it by software, because KVM does
                    not work in every virtual machine

A guest that does not end within ${BOOT_S} s has failed.
`;

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

async function build(dir: string): Promise<void> {
  const script = new URL("./build", import.meta.url).pathname;
  const { success } = await new Deno.Command("nice", {
    args: ["-n", "15", script, dir],
  }).spawn().status;
  if (!success) throw new Error("Debian could not be installed");
}

/** Makes the images, boots them, and checks them, over one transport. */
async function bootAll(options: DiskOptions): Promise<void> {
  const { transport } = options;
  await using disk = await DebianDisk.create(options);
  print(`${transport}: ${await disk.install()}`);
  print(`${transport}: ${await disk.boot("mid", "changed")}`);
  await disk.boot("top", "filled");
  const filled = await disk.allocated("top");
  print(`${transport}: ${await disk.boot("top", "trimmed")}`);
  const trimmed = await disk.allocated("top");
  await disk.check();
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  print(
    `${transport}: top.qcow2 has ${mib(filled)} before fstrim, ${
      mib(trimmed)
    } after it; all images and their file systems are clean`,
  );
  // The guest freed a file of 256 MiB.
  if (filled - trimmed < 200 * 2 ** 20) {
    throw new Error("fstrim did not make top.qcow2 smaller");
  }
}

async function main(args: string[]): Promise<number> {
  const { help, kvm, ...given } = parseArgs(args, {
    boolean: ["help", "kvm"],
    string: ["dir", "transport"],
  });
  if (help) {
    print(HELP);
    return 0;
  }
  const { dir = "/var/tmp/mqfuse-boot" } = given;
  const { transport = hasSetting() ? "device,uring" : "device" } = given;
  const transports = transport.split(",");
  const isKnown = transports.every((name) => /^(device|uring)$/.test(name));
  if (!isKnown || given._.length > 0) {
    print("Cannot use these arguments: --help lists the options");
    return 2;
  }
  await build(dir);
  let failures = 0;
  for (const name of transports) {
    try {
      const boot = () => bootAll({ dir, transport: name, kvm });
      await (name === "uring" ? withSetting("Y", boot) : boot());
    } catch (error) {
      failures++;
      print(`${name}: failed: ${(error as Error).message}`);
    }
  }
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
