import type { Response } from "express";
import type { LogEntry } from "../../../core/api/apps/logs.js";
import type { Problem } from "../../../core/api/problem.js";
import type { WorkLine } from "../../../core/api/work.js";
import { toAppError } from "../../../core/errors/app-error.js";
import { writeWhenTaken } from "../../../core/async/write-when-taken.js";

type Line = LogEntry | WorkLine;

/** Resolves when the client has taken enough for the next line. */
export type WriteLine = (line: Line) => Promise<void>;

/**
 * Answers with a JSON text per line as things happen (`application/x-ndjson`); the last line of a long piece of work is
 * `{"done": …}` or `{"error": {code, message, hint}}`.
 */
export async function streamLines<Done extends object>(
  response: Response,
  work: (write: WriteLine, signal: AbortSignal) => Promise<Done>,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort(new Error("the client left")));
  response.type("application/x-ndjson").set("Cache-Control", "no-store");
  response.flushHeaders();
  const write = async (line: Line | Problem | { done: Done }): Promise<void> =>
    writeWhenTaken(response, `${JSON.stringify(line)}\n`);
  try {
    await write({ done: await work(write, gone.signal) });
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    await write({ error: { code, message, hint } });
  }
  response.end();
}
