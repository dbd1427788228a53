import { closeSync, readdirSync, readFileSync } from "node:fs";

const FILES = "/proc/self/fd";
/** open(2), on Linux: another program does not inherit it. Node.js opens all its own files so. */
const O_CLOEXEC = 0o2_000_000;
const LAST_STANDARD_FILE = 2;

/**
 * Closes the files that whoever started this process left open in it: every program of an app would inherit them, and a folder
 * among them leads to the whole machine.
 */
export function closeInheritedFiles(): void {
  for (const file of readdirSync(FILES).map(Number)) {
    if (file > LAST_STANDARD_FILE && isInheritable(file)) closeSync(file);
  }
}

/** proc(5), /proc/pid/fdinfo: the flags are octal digits. */
function isInheritable(file: number): boolean {
  try {
    const [, flags = ""] = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, "utf8")) ?? [];
    return (parseInt(flags, 8) & O_CLOEXEC) === 0;
  } catch (error) {
    // The one by which the folder was listed.
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw error;
  }
}
