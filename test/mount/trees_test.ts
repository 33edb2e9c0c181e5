/**
 * Trees that are made of something else, mounted and used by other programs.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { ExampleProcess, script } from "./_example.ts";
import { mountTest, must } from "./_harness.ts";

const PROGRAM = "../test/mount/_trees_program.ts";

/** Makes files of many kinds in the present directory. */
const MAKE = `
mkdir -p src/a/b/c src/empty
seq 200000 > src/numbers
head -c 5000000 /dev/urandom > src/random
head -c 70000 /dev/urandom > src/a/b/c/some
for i in $(seq 300); do echo $i > src/a/file$i; done
ln -s a/b/c/some src/link
ln src/numbers src/a/hard
printf x > "src/a/two words"
chmod 750 src/a/b
chmod 4711 src/a/file7
touch -d 2001-02-03T04:05:06 src/a/file8 src/a
`;

/** What a tree is: names, types, modes, sizes, link counts, targets. */
const LIST = `find . -printf '%P %y %m %s %n %l\\n' |
sed 's/ d \\([0-9]*\\) .*/ d \\1/' | sort`;

/** Registers a test of a tree of some kind, which is given a full directory. */
function treeTest(
  kind: string,
  name: string,
  prepare: string,
  source: string,
  body: (directory: string) => Promise<void>,
): void {
  mountTest(`${kind}: ${name}`, async (directory) => {
    await Deno.chmod(directory, 0o755);
    await bash(directory, `${MAKE}\nmkdir mnt\n${prepare}`);
    const permissions = ["-A"];
    const args = [kind, `${directory}/${source}`];
    const mountpoint = `${directory}/mnt`;
    await using process = await ExampleProcess.start(PROGRAM, mountpoint, {
      permissions,
      args,
    });
    await body(directory);
    assertEquals(await process.stop("SIGTERM"), 0);
  }, ["find", "diff", "tar"]);
}

/** Runs a script that must succeed; returns what it prints. */
async function bash(directory: string, text: string): Promise<string> {
  const result = await script(directory, `set -e\n${text}`);
  assertEquals(result.code, 0, result.text);
  return result.text;
}

async function assertSameTree(directory: string, at: string): Promise<void> {
  await must("diff", "-r", `${directory}/src`, at);
  const actual = await bash(at, LIST);
  assertEquals(actual, await bash(`${directory}/src`, LIST));
}

/** What is copied, packed, changed and removed as in any directory. */
async function useTree(directory: string): Promise<void> {
  const mounted = `${directory}/mnt`;
  await bash(directory, "cp -a src mnt/copy");
  await assertSameTree(directory, `${mounted}/copy`);
  await bash(
    directory,
    `tar cf one.tar -C mnt copy
mkdir mnt/two && tar xpf one.tar -C mnt/two
mv mnt/two/copy mnt/moved
echo appended >> mnt/moved/numbers
test $(wc -l < mnt/moved/numbers) = 200001
ln mnt/moved/numbers mnt/again && cmp mnt/again mnt/moved/numbers
chmod 600 mnt/moved/random && truncate -s 10 mnt/moved/random
test $(stat -c %s%a mnt/moved/random) = 10600
(exec 3<> mnt/open && rm mnt/open && echo text >&3)
`,
  );
  await assertSameTree(directory, `${mounted}/copy`);
  await bash(directory, 'rm -r mnt/*; test -z "$(ls -A mnt)"; df mnt');
}

const ROOT = "mkdir root";

treeTest(
  "node",
  "programs use a directory of the host",
  ROOT,
  "root",
  async (directory) => {
    await bash(
      directory,
      `cp -a src/a/file8 mnt/
test $(stat -c %Y mnt/file8) = $(stat -c %Y src/a/file8)`,
    );
    await useTree(directory);
  },
);
// Its chown() changes the time of modification, so times are not compared.
treeTest("memfs", "programs use it", "", "", useTree);

const PACK = `(cd src && tar --sort=name -cf ../archive.tar .)
mkdir archive.tar.changes`;

treeTest(
  "tar",
  "an archive shows what was packed",
  PACK,
  "archive.tar",
  async (directory) => {
    await assertSameTree(directory, `${directory}/mnt`);
    await bash(directory, "cmp src/a/hard mnt/numbers; ! touch mnt/new");
  },
);

treeTest(
  "overlay",
  "an archive is changed like a directory",
  PACK,
  "archive.tar",
  async (directory) => {
    const same = async () => {
      await must("diff", "-r", `${directory}/src`, `${directory}/mnt`);
      // Hard links are files of their own.
      const list = `${LIST} | sed 's/ [12] / /'`;
      const [actual, expected] = await Promise.all(
        ["mnt", "src"].map((at) => bash(`${directory}/${at}`, list)),
      );
      assertEquals(actual, expected);
    };
    await same();
    const change = `cd "$1"
rm -r a/b a/file1*
echo more >> a/file20
chmod 644 random
mv a/file8 a/b2
mkdir a/b && echo new > a/b/c
rm link && ln -s random link`;
    for (const at of ["src", "mnt"]) {
      await bash(directory, `set -- ${at}\n${change}`);
    }
    await same();
    await bash(
      directory,
      `echo more >> mnt/numbers
tail -n 1 mnt/numbers | grep more
cmp mnt/a/hard src/a/hard`,
    );
  },
);

const ZIP = `(cd src && python3 - <<'END'
import os, zipfile
with zipfile.ZipFile("../archive.zip", "w", zipfile.ZIP_DEFLATED) as z:
    for root, directories, names in os.walk("."):
        if root != ".": z.write(root)
        for name in names:
            path = os.path.join(root, name)
            if os.path.islink(path):
                info = zipfile.ZipInfo(path)
                info.create_system = 3
                info.external_attr = 0o120777 << 16
                z.writestr(info, os.readlink(path))
            else: z.write(path)
END
)`;

treeTest(
  "zip",
  "an archive shows what was packed",
  ZIP,
  "archive.zip",
  async (directory) => {
    await must("diff", "-r", `${directory}/src`, `${directory}/mnt`);
    const modes = "find . -printf '%P %y %m %l\\n' | sort | tail -n +2";
    const [actual, expected] = await Promise.all(
      ["mnt", "src"].map((at) => bash(`${directory}/${at}`, modes)),
    );
    assertEquals(actual, expected);
    await bash(
      directory,
      `dd if=mnt/random bs=4096 skip=1000 count=3 status=none |
cmp - <(dd if=src/random bs=4096 skip=1000 count=3 status=none)
! touch mnt/new`,
    );
  },
);
