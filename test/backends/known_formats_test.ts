import { assertEquals, assertMatch } from "@std/assert";
import { looksLike } from "../../src/backends/formats/known_formats.ts";
import { openImage } from "../../src/backends/open_image.ts";
import { FakeFiles } from "./_fake_files.ts";
import { imageOptions } from "./_image_options.ts";
import { buildImage } from "./qcow2/_build_image.ts";

Deno.test("looksLike() knows a format by its first bytes", () => {
  const bytes = (text: string, at = 0) => {
    const start = new Uint8Array(512);
    start.set(
      Uint8Array.from(text, (character) => character.charCodeAt(0)),
      at,
    );
    return start;
  };
  assertEquals(looksLike(bytes("QFI\xfb\0\0\0\x03"))?.prefix, "qcow2:");
  assertEquals(looksLike(bytes("QFI\xfb\0\0\0\x01"))?.name, "qcow");
  assertEquals(looksLike(bytes("KDMV"))?.name, "VMDK");
  assertEquals(looksLike(bytes("\x7f\x10\xda\xbe", 64))?.name, "VDI");
  assertEquals(looksLike(bytes("\x7f\x10\xda\xbe")), null);
  assertEquals(looksLike(bytes("\xebR\x90NTFS")), null);
  assertEquals(looksLike(new Uint8Array()), null);
  assertEquals(looksLike(bytes("KDM").subarray(0, 3)), null);
});

Deno.test("a raw image that looks like another format has a notice", async () => {
  const files = new FakeFiles();
  files.write("disk", buildImage({ size: 1 << 20 }));
  const noticeOf = async (source: string, offset = 0) => {
    const options = { ...imageOptions, offset };
    const image = await openImage(source, options, files.services());
    await image.close();
    return image.notice;
  };
  assertEquals(
    await noticeOf("disk"),
    "/images/disk looks like an image in the format qcow2, but it is exported as a raw image; to export the disk in it, export qcow2:/images/disk",
  );
  assertEquals(await noticeOf("qcow2:disk"), null);
  // From there on it is something else.
  assertEquals(await noticeOf("disk", 4096), null);
  const qed = new Uint8Array(4096);
  qed.set(new TextEncoder().encode("QED\0"));
  files.write("disk.qed", qed);
  assertMatch(
    await noticeOf("disk.qed") ?? "",
    /convert -O qcow2' and export/,
  );
  files.write("plain", new Uint8Array(4096));
  assertEquals(await noticeOf("plain"), null);
});
