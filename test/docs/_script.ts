/**
 * Turns the blocks of a page into one script, so that later blocks find what
 * earlier ones have made: files, variables, the working directory.
 *
 * @module
 */
import type { Block, Marker } from "./_markdown.ts";

/** The line that the script prints before each block. */
export const ANNOUNCEMENT = "== block ";

/** Languages of blocks of commands. */
const COMMANDS = new Set(["sh", "console"]);
/** Languages of programs, which `deno task doc:test` runs. */
const PROGRAMS = new Set(["ts", "js"]);
/** Languages of blocks that hold data, which there is nothing to run of. */
const DATA = new Set(["text", "ini", "json", "yaml"]);

/** Why a block is not run, undefined if it is. */
export function reasonNotRun({ markers }: Block): string | undefined {
  return markers.get("not tested") ?? markers.get("long-running");
}

/**
 * What is wrong with how a block is marked.
 *
 * @param block The block.
 * @param inDocTest Whether `deno task doc:test` runs the page's programs.
 * @returns What is wrong, "" if nothing is.
 */
export function faultOf(block: Block, inDocTest: boolean): string {
  const { language, attributes, markers } = block;
  if (reasonNotRun(block) !== undefined || markers.has("file")) return "";
  if (COMMANDS.has(language) || DATA.has(language)) {
    return attributes.length === 0 ? "" : `has unknown attributes`;
  }
  if (!PROGRAMS.has(language)) {
    return language === "" ? "has no language" : `"${language}" is unknown`;
  }
  if (attributes.includes("ignore")) {
    return "is ignored by 'deno test --doc', but no comment says why";
  }
  return inDocTest ? "" : "is on a page that 'deno task doc:test' leaves out";
}

/** The programs that the blocks of a page start, in the order of the page. */
export function programsOf(blocks: readonly Block[]): string[] {
  const lists = blocks.map(({ markers }) => markers.get("needs") ?? "");
  const words = lists.join(" ").split(/[\s,]+/).filter((word) => word !== "");
  return [...new Set(words)];
}

/**
 * The script that runs the blocks of a page. It ends with the first that fails.
 *
 * @param blocks The blocks of one page, in order.
 * @param isLong Whether it runs the blocks that take too long for the tests.
 * @returns A script for bash, "" if there is nothing to run.
 */
export function scriptOf(blocks: readonly Block[], isLong = false): string {
  const isLeftOut = ({ markers }: Block) =>
    markers.has("not tested") || (!isLong && markers.has("long-running"));
  const run = blocks.filter((block) =>
    !isLeftOut(block) &&
    (COMMANDS.has(block.language) ||
      ["file", "setup", "check"].some((each) =>
        block.markers.has(each as Marker)
      ))
  );
  if (run.length === 0) return "";
  const parts = run.map((block, i) => {
    const isNewSection = block.section !== run[i - 1]?.section;
    return `${isNewSection ? "stop_serving\n" : ""}${partOf(block)}`;
  });
  return `${PRELUDE}${parts.join("")}stop_serving\n`;
}

const PRELUDE = `set -euo pipefail
serving=()

# path_of FILE: its path; a file that another user serves cannot be looked at
path_of() {
  echo "$(realpath "$(dirname "$1")")/$(basename "$1")"
}

# is_mounted FILE
is_mounted() {
  grep -qF " $(path_of "$1") " /proc/self/mountinfo
}

# serve PID MOUNTPOINT...: waits until a background process serves them
serve() {
  local pid=$1 mountpoint
  shift
  for mountpoint; do
    until is_mounted "$mountpoint"; do
      kill -0 "$pid" || { echo "ended before it served $mountpoint"; exit 1; }
      sleep 0.05
    done
    serving+=("$pid $(path_of "$mountpoint")")
  done
}

# stop_serving: unmounts what the section serves; each server has to end with 0
stop_serving() {
  local pid mountpoint each
  for each in "\${serving[@]}"; do
    read -r pid mountpoint <<<"$each"
    if is_mounted "$mountpoint"; then umount "$mountpoint"; fi
    wait "$pid" || { echo "the server of $mountpoint ended with $?"; exit 1; }
  done
  serving=()
}

# stop_those MOUNTPOINT...: stops everything, if one of them is served already
stop_those() {
  local mountpoint
  for mountpoint; do
    if is_mounted "$mountpoint"; then stop_serving; fi
  done
}

# expect STATUS ACTUAL
expect() {
  [[ $1 = "$2" ]] || { echo "ended with $2, not $1"; exit 1; }
}
`;

/** Runs one block, between its set-up and its check. */
function partOf(block: Block): string {
  const { markers, page, line } = block;
  const announcement = quote(`${ANNOUNCEMENT}${page}:${line}`);
  const lines = (marker: "setup" | "check") =>
    markers.has(marker) ? `${markers.get(marker)}\n` : "";
  return `echo ${announcement}\n${lines("setup")}${bodyOf(block)}` +
    lines("check");
}

function bodyOf(block: Block): string {
  const { markers, text, language } = block;
  const path = markers.get("file");
  if (path !== undefined) return `printf %s ${quote(text)} >${path}\n`;
  if (!COMMANDS.has(language)) return "";
  const status = markers.get("fails") ?? "0";
  if (language === "console") return consoleBody(text, status);
  const mountpoints = markers.get("serves");
  if (mountpoints !== undefined) {
    return `stop_those ${mountpoints}\n(\n${text}) &\nserve $! ${mountpoints}\n`;
  }
  // In a list with || or a condition, bash would ignore "set -e".
  return status === "0"
    ? text
    : `set +e\n(set -e\n${text})\nstatus=$?\nset -e\nexpect ${status} $status\n`;
}

/**
 * Lines that begin with "$ " are commands; what each prints is below it, with
 * "..." for anything. All but the last have to succeed.
 */
function consoleBody(text: string, lastStatus: string): string {
  const [before, ...sessions] = `\n${text}`.split("\n$ ");
  if (before !== "" || sessions.length === 0) {
    return `echo 'it does not begin with "$ "'; exit 1\n`;
  }
  return sessions.map((session, i) => {
    const [whole, command] = /^((?:.*\\\n)*.*)(?:\n|$)/.exec(session)!;
    const expected = session.slice(whole.length).trimEnd();
    const status = i === sessions.length - 1 ? lastStatus : "0";
    const run =
      `set +e\noutput=$(\nexec 2>&1\n${command}\n)\nstatus=$?\nset -e\n` +
      `printf '%s\\n' "$output"\nexpect ${status} $status\n`;
    if (expected === "") return run;
    const pattern = expected.split("...").map(quote).join("*");
    return `${run}[[ $output = ${pattern} ]] || ` +
      `{ echo "expected:"; echo ${quote(expected)}; exit 1; }\n`;
  }).join("");
}

/** Quotes a text for a shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
