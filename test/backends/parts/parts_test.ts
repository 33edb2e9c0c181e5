/** Split images: their names, and pieces that are missing. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { pieceNames } from "../../../src/backends/formats/parts/piece_names.ts";
import { openImage } from "../../../src/backends/open_image.ts";
import { parseSource } from "../../../src/backends/registry.ts";
import { UserError } from "../../../src/base/user_error.ts";
import { FakeFiles } from "../_fake_files.ts";
import { imageOptions } from "../_image_options.ts";
import { readBack } from "../_image.ts";

/** The names of the first pieces, as far as plain counting goes. */
function namesFrom(path: string, count: number): string[] {
  const { stem, first, next } = pieceNames(path)!;
  const names: string[] = [];
  for (let counter: string | undefined = first; names.length < count;) {
    if (counter === undefined) break;
    names.push(`${stem}${counter}`);
    counter = next(counter)[0];
  }
  return names;
}

Deno.test("the names of pieces follow from the first one's", () => {
  assertEquals(namesFrom("disk.img.001", 3), [
    "disk.img.001",
    "disk.img.002",
    "disk.img.003",
  ]);
  assertEquals(namesFrom("d.000", 1001).slice(-2), ["d.999", "d.1000"]);
  assertEquals(namesFrom("d.part1", 11).slice(-2), ["d.part10", "d.part11"]);
  assertEquals(namesFrom("2024/x01", 2), ["2024/x01", "2024/x02"]);
  assertEquals(namesFrom("d.aa", 28).slice(-3), ["d.az", "d.ba", "d.bb"]);
  assertEquals(namesFrom("d.aa", 9999).length, 26 * 26);
});

Deno.test("the counts of split(1) get more digits at its end", () => {
  const { next: numbers } = pieceNames("x00")!;
  assertEquals(numbers("89"), ["90", "9000"]);
  assertEquals(numbers("9899"), ["9900", "990000"]);
  const { next: letters } = pieceNames("xaa")!;
  assertEquals(letters("yz"), ["za", "zaaa"]);
  assertEquals(letters("zyzz"), ["zzaa", "zzaaaa"]);
});

Deno.test("a path that is no first piece is refused", () => {
  for (
    const path of ["disk.img", "d.002", "d.010", "d.ab", "d.a", "d.10", ""]
  ) {
    assertThrows(
      () => parseSource(`parts:${path}`),
      UserError,
      "give the path of the first piece",
      path,
    );
  }
});

async function read(
  names: readonly string[],
  first: string,
  empty = "",
): Promise<string> {
  const files = new FakeFiles();
  for (const name of names) {
    files.write(name, new TextEncoder().encode(name === empty ? "" : name));
  }
  const image = await openImage(
    `parts:${first}`,
    imageOptions,
    files.services(),
  );
  try {
    const { backend, stat } = image;
    return new TextDecoder().decode(await readBack(backend, 0, stat.size));
  } finally {
    await image.close();
    assertEquals(files.openCount, 0);
  }
}

Deno.test("the pieces follow each other, however large they are", async () => {
  assertEquals(await read(["d.1", "d.2", "d.4x", "d.3"], "d.1"), "d.1d.2d.3");
  const names = [...Array(90).keys()].map((i) => `x${`${i}`.padStart(2, "0")}`);
  const all = [...names, "x9000", "x9001"];
  assertEquals(await read(all, "x00"), all.join(""));
});

Deno.test("a piece that is missing is named", async () => {
  await assertRejects(
    () => read(["d.001", "d.002", "d.005"], "d.001"),
    UserError,
    "the piece d.003 is missing, yet d.005 is there",
  );
  await assertRejects(
    () => read(["d.002"], "d.001"),
    UserError,
    "Cannot open d.001: missing",
  );
});

Deno.test("a piece that is empty is named", async () => {
  for (const empty of ["d.2", "d.3"]) {
    await assertRejects(
      () => read(["d.1", "d.2", "d.3"], "d.1", empty),
      UserError,
      `the piece /images/${empty} is empty; copy it once more`,
    );
  }
});
