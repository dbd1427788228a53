import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/**
 * One line of the input, without the spaces around it; undefined when it ends before one came. From a terminal it is asked
 * for on `errors`, and not shown while it is typed.
 */
export async function readSecret(
  input: NodeJS.ReadStream,
  errors: NodeJS.WritableStream,
  question: string,
): Promise<string | undefined> {
  // With a terminal readline does the echo itself: to nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: input.isTTY });
  if (input.isTTY) errors.write(question);
  const line = await new Promise<string | undefined>((resolve) => {
    lines.once("line", resolve);
    lines.once("close", () => resolve(undefined));
  });
  lines.close();
  if (input.isTTY) errors.write("\n");
  return line?.trim() === "" ? undefined : line?.trim();
}
