/**
 * A shell line whose last command takes the place of the shell (dash would stay and wait), where that is certain to change
 * nothing else: a simple command, perhaps after others and `&&`. Any other line is left as it is.
 */
export function execLast(line: string): string {
  const start = line.lastIndexOf("&&") < 0 ? 0 : line.lastIndexOf("&&") + 2;
  const [before, last] = [line.slice(0, start), line.slice(start)];
  // What is quoted before the last `&&` might hold that one too.
  if (/["'\\]/.test(before) || /[;|<>(){}`\n#!\\]|&/.test(before.replaceAll("&&", "") + last)) return line;
  const [, assignments = "", command = "", rest = ""] = SIMPLE.exec(last) ?? [];
  return command === "" || SHELL_WORDS.has(command) ? line : `${before}${assignments}exec ${command}${rest}`;
}

/** Assignments for the command, its first word, and its arguments. */
const SIMPLE = /^(\s*(?:[A-Za-z_]\w*=[^\s"'$]*\s+)*)([\w./@+-]+)((?:\s.*)?)$/;

/** Words that no program stands for, or not the one that the shell would take (POSIX, 2.4, 2.14; dash(1)). */
const SHELL_WORDS = new Set(
  (
    ". : alias bg break case cd command continue do done echo elif else esac eval exec exit export false fg fi for " +
    "function getopts hash if in jobs kill local printf pwd read readonly return set shift source test then time times " +
    "trap true type ulimit umask unalias unset until wait while"
  ).split(" "),
);
