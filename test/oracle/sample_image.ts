/**
 * One image of others, as mqfuse shows it and as QEMU converts it.
 *
 * @module
 */
import { ExportProcess, runMain } from "../mount/_export_process.ts";
import { runFor } from "../mount/_clients.ts";
import type { QemuTools } from "./tools.ts";

/** Seconds that reading an image may take. */
const READ_S = 600;
/** Bytes of a disk up to which cmp(1) reads all of it; else holes are skipped. */
const CMP_MAX = 4 * 2 ** 30;

/** QEMU's names of formats, by the prefixes of sources. */
const QEMU_FORMATS: Readonly<Record<string, string>> = {
  qcow2: "qcow2",
  vmdk: "vmdk",
  vhd: "vpc",
  vhdx: "vhdx",
};

/** What came of a comparison. */
export interface Verdict {
  /** Whether the two agree, as far as both can read the image. */
  readonly agrees: boolean;
  /** What mqfuse opens it as; "" if it knows no format. */
  readonly source: string;
  /** A sentence. */
  readonly text: string;
}

/** A disk that QEMU has converted. */
interface Converted {
  readonly path: string;
  /** What QEMU was asked for besides the format; "" if nothing. */
  readonly how: string;
}

/**
 * Compares the disk in a file: its bytes through a mount with what `qemu-img`
 * converts it to.
 *
 * @param path The file.
 * @param directory An empty directory for the mount and the copies.
 * @param tools QEMU's.
 */
export async function compareSample(
  path: string,
  directory: string,
  tools: QemuTools,
): Promise<Verdict> {
  const { exportAs, looksLike } = await likeness(path);
  const [, prefix = ""] = /^(\w+):/.exec(exportAs ?? "") ?? [];
  const format = QEMU_FORMATS[prefix];
  if (exportAs === null || format === undefined) {
    const text = `${
      looksLike ?? "no format is recognised"
    }; QEMU says: ${await qemuGuess(path, directory, tools)}`;
    return { agrees: true, source: exportAs ?? "", text };
  }
  const converted = await convert(path, format, directory, tools);
  const verdict = (agrees: boolean, text: string) => ({
    agrees,
    source: exportAs,
    text,
  });
  const mountpoint = `${directory}/mnt.img`;
  await Deno.writeTextFile(mountpoint, "");
  let process;
  try {
    process = await ExportProcess.start(["-q2", exportAs, mountpoint], {
      lifeS: 2 * READ_S,
    });
  } catch (error) {
    const { message } = error as Error;
    const why = /mqfuse: (Cannot .*)/.exec(message)?.[1] ?? message;
    return typeof converted === "string"
      ? verdict(true, `both refuse it: ${why}; QEMU: ${converted}`)
      : verdict(false, `only QEMU opens it: ${why}`);
  }
  await using _ = process;
  if (typeof converted === "string") {
    return verdict(false, `only mqfuse opens it; QEMU: ${converted}`);
  }
  const differs = await compare(mountpoint, converted, directory, tools);
  const { code, stderr } = await process.stop();
  if (code !== 0) return verdict(false, `the export ended: ${stderr}`);
  return verdict(differs.agrees, differs.text);
}

/** What `info` says. */
async function likeness(path: string): Promise<{
  readonly exportAs: string | null;
  readonly looksLike: string | null;
}> {
  const { code, stdout, stderr } = await runMain(["info", "--json", path]);
  if (code === 0) {
    const { exportAs, looksLike } = JSON.parse(stdout);
    return { exportAs: exportAs === path ? null : exportAs, looksLike };
  }
  // A refusal of what was recognised names the format.
  const [, format] = / as (\w+): /.exec(stderr) ?? [];
  return format === undefined
    ? { exportAs: null, looksLike: firstLine(stderr) }
    : { exportAs: `${format}:${path}`, looksLike: format };
}

async function qemuGuess(
  path: string,
  directory: string,
  tools: QemuTools,
): Promise<string> {
  const { code, output } = await tools.run(
    directory,
    "qemu-img",
    ...["info", "-U", "--output=json", path],
  );
  if (code !== 0) return firstLine(output);
  // A warning may follow.
  return JSON.parse(output.slice(0, output.lastIndexOf("\n}") + 2))["format"];
}

/** Converts a disk; or why QEMU cannot. */
async function convert(
  path: string,
  format: string,
  directory: string,
  tools: QemuTools,
): Promise<Converted | string> {
  const to = `${directory}/qemu.raw`;
  const run = async (...args: string[]) =>
    await tools.run(directory, "qemu-img", ...args);
  const first = await run("convert", "-f", format, "-O", "raw", path, to);
  if (first.code === 0) return { path: to, how: "" };
  if (!first.output.includes("log")) return firstLine(first.output);
  // QEMU replays the log of a VHDX only into the file itself.
  const copy = `${directory}/copy.vhdx`;
  await Deno.copyFile(path, copy);
  const repair = await run("check", "-q", "-r", "all", "-f", format, copy);
  if (repair.code !== 0) return firstLine(repair.output);
  const again = await run("convert", "-f", format, "-O", "raw", copy, to);
  return again.code === 0
    ? { path: to, how: ", once QEMU has replayed the log" }
    : firstLine(again.output);
}

/** Compares the bytes of a mount. */
async function compare(
  mountpoint: string,
  { path, how }: Converted,
  directory: string,
  tools: QemuTools,
): Promise<Pick<Verdict, "agrees" | "text">> {
  const { size } = await Deno.stat(mountpoint);
  const { size: qemuSize } = await Deno.stat(path);
  const common = Math.min(size, qemuSize);
  const { code, stdout, stderr } = common <= CMP_MAX
    ? await runFor(READ_S, "cmp", "-n", `${common}`, mountpoint, path)
    : await compareByHoles(mountpoint, path, directory, tools);
  if (code !== 0) {
    return { agrees: false, text: `it differs: ${stdout}${stderr}`.trim() };
  }
  return size === qemuSize
    ? { agrees: true, text: `${size} bytes are the same${how}` }
    : {
      agrees: false,
      text: `${size} bytes, and ${qemuSize} to QEMU; they begin the same${how}`,
    };
}

async function compareByHoles(
  mountpoint: string,
  path: string,
  directory: string,
  tools: QemuTools,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const args = ["compare", "-U", "-f", "raw", "-F", "raw", mountpoint, path];
  const { code, output } = await tools.run(directory, "qemu-img", ...args);
  // What one image has more than the other has to be zeroes.
  return { code, stdout: output, stderr: "" };
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0]!;
}
