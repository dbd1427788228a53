import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { AppError } from "../../../core/errors/app-error.js";
import type { Terminal } from "../../start/context.js";

/**
 * Reads a secret that must not appear in the list of processes, where everybody on the machine can read it: one line of the
 * input, trimmed. On a terminal it prompts for it and does not echo it. `what`: `Token`. Throws `input-empty`.
 */
export async function readSecret(
  terminal: Pick<Terminal, "input" | "errors">,
  what: string,
): Promise<string> {
  const [input, errors] = [terminal.input(), terminal.errors()];
  // With a terminal readline does the echo itself: to nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: input.isTTY });
  if (input.isTTY) errors.write(`${what}: `);
  const line = await new Promise<string | undefined>((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(undefined));
  });
  lines.close();
  if (input.isTTY) errors.write("\n");
  const secret = line?.trim() ?? "";
  if (secret === "") throw new AppError("input-empty", { what });
  return secret;
}
