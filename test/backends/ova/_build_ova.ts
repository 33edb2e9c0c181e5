/** A member of a tar archive that is built. */
export type Member = readonly [path: string, bytes: Uint8Array | string];

/** A tar archive in the format ustar. */
export function buildTar(members: readonly Member[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const parts = members.map(([path, content]) => {
    const bytes = typeof content === "string"
      ? encoder.encode(content)
      : content;
    const part = new Uint8Array(512 + Math.ceil(bytes.length / 512) * 512);
    const write = (at: number, text: string) =>
      part.set(encoder.encode(text), at);
    write(0, path);
    write(100, "0000644\0");
    write(124, bytes.length.toString(8).padStart(11, "0") + "\0");
    write(148, "        ");
    write(156, "0");
    write(257, "ustar\x0000");
    const sum = part.subarray(0, 512).reduce((all, byte) => all + byte, 0);
    write(148, sum.toString(8).padStart(6, "0") + "\0 ");
    part.set(bytes, 512);
    return part;
  });
  const length = parts.reduce((sum, part) => sum + part.length, 1024);
  const tar = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    tar.set(part, at);
    at += part.length;
  }
  return tar;
}

/** An OVF descriptor that names disks, in this order. */
export function ovfText(disks: readonly string[]): string {
  const files = disks.map((name, i) =>
    `<File ovf:href="${name}" ovf:id="file${i}" ovf:size="1"/>`
  );
  const rows = disks.map((_, i) =>
    `<Disk ovf:capacity="1" ovf:diskId="disk${i}" ovf:fileRef="file${i}"/>`
  );
  return `<?xml version="1.0"?>
<Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References>${files.toReversed().join("\n")}</References>
  <DiskSection><Info>disks</Info>${rows.join("\n")}</DiskSection>
</Envelope>`;
}
