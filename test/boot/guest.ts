/**
 * A guest that boots from a file, does what it is told, and turns itself off.
 *
 * @module
 */

/** Seconds that a guest may take: minutes, without KVM. */
export const BOOT_S = 1800;

/** Characters of the console that a failure shows. */
const TAIL = 2000;

/** A guest to boot. */
export interface Guest {
  /** Where its kernel and initrd are. */
  readonly dir: string;
  /** The file that is its disk. */
  readonly disk: string;
  /** What it is told to do: a function of `trial`. */
  readonly trial: string;
  /** Where its console and its output go. */
  readonly logs: string;
  /** Whether KVM runs it. */
  readonly kvm: boolean;
}

/**
 * Boots a guest, and waits until it has turned itself off.
 *
 * @returns What it has printed.
 * @throws {Error} If it does not end in time, or its trial fails.
 */
export async function bootGuest(guest: Guest): Promise<string> {
  const { dir, disk, trial, logs, kvm } = guest;
  const [console, output] = [
    `${logs}/${trial}.console`,
    `${logs}/${trial}.out`,
  ];
  const { code, stderr } = await new Deno.Command("timeout", {
    // In a session of its own, because a terminal would stop it.
    args: ["-k", "5", `${BOOT_S}`, "setsid", "nice", "qemu-system-x86_64"]
      .concat(
        acceleration(kvm),
        ["-smp", "2", "-m", "1024", "-nodefaults", "-no-reboot"],
        ["-display", "none", "-kernel", `${dir}/vmlinuz`],
        ["-initrd", `${dir}/initrd.img`, "-append", commandLine(trial)],
        ["-drive", driveOf(disk), "-serial", `file:${console}`],
        ["-serial", `file:${output}`],
      ),
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const printed = await Deno.readTextFile(output);
  if (code === 0 && printed.includes(`TRIAL ${trial} done`)) return printed;
  const said = new TextDecoder().decode(stderr);
  const last = (await Deno.readTextFile(console)).slice(-TAIL);
  throw new Error(
    `the guest (${trial}) ended with ${code}: ${said}${printed}${last}`,
  );
}

function commandLine(trial: string): string {
  // Without the check of the timer, because that fails if the machine is busy.
  return `root=/dev/vda rw console=ttyS0 panic=-1 no_timer_check trial=${trial}`;
}

function driveOf(disk: string): string {
  return `file=${disk},format=raw,if=virtio,cache=none,aio=threads,discard=unmap`;
}

function acceleration(kvm: boolean): string[] {
  return kvm
    ? ["-accel", "kvm", "-cpu", "host"]
    : ["-accel", "tcg,thread=multi", "-cpu", "max"];
}
