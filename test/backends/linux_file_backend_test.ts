import { assertEquals } from "@std/assert";
import { WindowBackend } from "../../src/backends/filters/window.ts";
import { FileBackend } from "../../src/backends/protocols/file/file_backend.ts";
import { libc } from "../../src/linux/syscall/libc.ts";
import { openBlockFile } from "../../src/linux/io/open_block_file.ts";
import {
  missingPermission,
  missingProgram,
  missingRoot,
} from "../requirements.ts";
import { type Opened, testBackend } from "./backend_suite.ts";

const missing = missingPermission("ffi", "read", "write");
const missingLoop = missing || missingPermission("run", "env") ||
  missingRoot() || missingProgram("losetup");
// Opened here, so that it does not count as a leak of the first test.
if (missing === "") libc();

async function openFile(size: number, offset = 0): Promise<Opened> {
  const directory = await Deno.makeTempDir({ prefix: "mqfuse_backend_" });
  const path = `${directory}/disk.img`;
  await Deno.writeFile(path, new Uint8Array());
  await Deno.truncate(path, size + offset);
  const file = openBlockFile(path, { writable: true });
  const whole = new FileBackend(file, path, true);
  return {
    backend: offset === 0
      ? whole
      : new WindowBackend(whole, { offset, size: null }),
    end: async () => {
      file.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function openLoop(size: number): Promise<Opened> {
  const directory = await Deno.makeTempDir({ prefix: "mqfuse_backend_" });
  const path = `${directory}/disk.img`;
  await Deno.writeFile(path, new Uint8Array(size));
  const device = await losetup("-f", "--show", path);
  const file = openBlockFile(device, { writable: true });
  return {
    backend: new FileBackend(file, device, true),
    end: async () => {
      file.close();
      await losetup("-d", device);
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function losetup(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("losetup", { args })
    .output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

testBackend({
  name: "FileBackend of a real file",
  missing,
  open: (size) => openFile(size),
});

testBackend({
  name: "FileBackend of a part of a real file",
  missing,
  open: (size) => openFile(size, 1000),
});

testBackend({
  name: "FileBackend of a loop device",
  missing: missingLoop,
  resizes: "never",
  large: false,
  open: openLoop,
});
