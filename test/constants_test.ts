import { assertEquals } from "@std/assert";
import { findDuplicateConstants } from "./_constants.ts";
import { canReadRepository, readRepository } from "./_repository.ts";

Deno.test({
  name: "constants of the kernel are defined only in src/base and src/protocol",
  // why: reading the sources needs --allow-read; bare `deno test` has none
  ignore: !canReadRepository(),
  async fn() {
    const files = await readRepository();
    const sources = files.filter(({ path }) =>
      /^(?:src|sim|conformance|examples|bench|docs)\/.*\.ts$|^[^/]+\.ts$/.test(
        path,
      )
    );
    assertEquals(findDuplicateConstants(sources), []);
  },
});

Deno.test("findDuplicateConstants() finds definitions and magic numbers", () => {
  const duplicates = [
    "const EROFS = 30;",
    "  EIO: 5,",
    "const O_CREAT = 0o100;",
    "  CREAT: 0o100,",
    "const S_IFMT = 0o170000;",
    "const S_ISUID = 0o4000;",
    "const SEEK_HOLE = 4;",
    "export const PAGE_SIZE = 4096;",
    "const PAGE_SIZE: number = 2 ** 12;",
    "const FUSE_INIT = 26;",
    "const FUSE_DEV_IOC_CLONE = 0x8004e500n;",
    "const US_PER_MS = 1_000;",
    "return seconds * 1_000_000_000n;",
    "return seconds * 1e9;",
    "if (mode === 0o100000) return;",
    "new Uint8Array(288);",
  ];
  for (const text of duplicates) {
    const found = findDuplicateConstants([{ path: "sim/a.ts", text }]);
    assertEquals(found.length >= 1, true, text);
    assertEquals(findDuplicateConstants([{ path: "src/base/a.ts", text }]), []);
  }
});

Deno.test("findDuplicateConstants() ignores other numbers", () => {
  const fine = [
    "const EROFS = 31;",
    "const FILE_CALL = { READ: 0, WRITE: 1 };",
    "// const EROFS = 30;",
    " * EROFS: 30",
    'const text = "EROFS = 30";',
    "const mode = 0o644;",
    "const KEYS_PER_S = 1000;",
    "ERRNO.EIO === 5",
  ];
  for (const text of fine) {
    const found = findDuplicateConstants([{ path: "sim/a.ts", text }]);
    assertEquals(found, [], text);
  }
});
