import { AppError } from "../../../core/errors/app-error.js";
import { isProcessName } from "../../../core/names.js";

/**
 * Reads a Procfile as Dokku does in its strict mode: `name: command` a line; `#` and `//` begin a comment at the start of
 * a line or after a blank; CRLF is fine. One bad or double line refuses the whole file. Answers name → command.
 */
export function parseProcfile(text: string): Map<string, string> {
  const processes = new Map<string, string>();
  for (const [index, raw] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = withoutComment(raw).trim();
    if (line === "") continue;
    const refuse = (problem: string): never => {
      throw new AppError("procfile-invalid", { line: index + 1, text: raw.trim(), problem });
    };
    const match = /^([^\s:]+)\s*:\s*(.*)$/.exec(line);
    const [, name = "", command = ""] = match ?? [];
    if (match === null) refuse("it is not `name: command`");
    if (!isProcessName(name)) refuse(`"${name}" cannot be the name of a process`);
    if (command === "") refuse("the command is missing");
    if (processes.has(name)) refuse(`"${name}" is defined twice`);
    processes.set(name, command);
  }
  return processes;
}

function withoutComment(line: string): string {
  const start = /(?:^|\s)(?:#|\/\/)/.exec(line);
  return start === null ? line : line.slice(0, start.index);
}
