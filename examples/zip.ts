// The files of a ZIP archive, here or on a server of HTTP, which is read by
// ranges: deno run --allow-ffi --allow-read --allow-net examples/zip.ts ARCHIVE
// DIRECTORY
import { open } from "node:fs/promises";
import { type ByteSource, mountFileSystem, openUrl } from "@mqfuse/mqfuse/fs";
import { fromZip } from "@mqfuse/mqfuse/fs/zip";

/** A file of this machine; each read is a promise, like those of a server. */
export async function openFile(path: string): Promise<ByteSource> {
  const file = await open(path);
  const { size } = await file.stat();
  return {
    size,
    async read(into, offset) {
      const { bytesRead } = await file.read(into, 0, into.length, offset);
      return bytesRead;
    },
  };
}

if (import.meta.main) {
  const [archive = "", directory = ""] = Deno.args;
  const isUrl = /^https?:/.test(archive);
  const source = isUrl ? await openUrl(archive) : await openFile(archive);
  await mountFileSystem(await fromZip(source), directory, {
    // An archive does not change.
    cache: "keep",
    attrSeconds: Infinity,
    entrySeconds: Infinity,
    negativeSeconds: Infinity,
    signals: true,
  });
  // deno-lint-ignore no-console
  console.log("Showing the archive; press Ctrl-C to stop");
}
