/**
 * What has to be undone even if the measurement is killed.
 *
 * @module
 */

// Remembers the commands that it is told, and forgets them when told. Runs the
// rest, the last one first, when its input ends: also when its parent is killed.
const SCRIPT = `
declare -a left
while IFS= read -r line; do
  case $line in
    +*) line=\${line#+}; left[\${line%% *}]=\${line#* } ;;
    -*) unset "left[\${line#-}]" ;;
  esac
  echo
done
ids=("\${!left[@]}")
for ((i = \${#ids[@]} - 1; i >= 0; i--)); do eval "\${left[\${ids[i]}]}"; done
`;

/** Runs commands of bash(1) when the process that started it has ended. */
export class Guard implements AsyncDisposable {
  readonly #child = new Deno.Command("bash", {
    args: ["-c", SCRIPT],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    // Ctrl-C must not reach it.
    detached: true,
  }).spawn();
  readonly #input = this.#child.stdin.getWriter();
  readonly #answers = this.#child.stdout.getReader();
  #last = 0;
  #before: Promise<void> = Promise.resolve();

  /**
   * Has a command run at the end.
   *
   * @param command One line. It must not fail if there is nothing to undo.
   * @returns Forgets the command, once what it undoes has been undone.
   */
  async add(command: string): Promise<() => Promise<void>> {
    const id = ++this.#last;
    await this.#tell(`+${id} ${command}`);
    return () => this.#tell(`-${id}`);
  }

  /** Runs what has not been forgotten, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#answers.cancel();
    await this.#child.status;
  }

  /** Waits for its answer, one line at a time: several may come as one chunk. */
  #tell(line: string): Promise<void> {
    const told = this.#before.then(async () => {
      await this.#input.write(new TextEncoder().encode(`${line}\n`));
      await this.#answers.read();
    });
    this.#before = told;
    return told;
  }
}

/** A word of bash(1). */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
