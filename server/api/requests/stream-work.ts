import type { Response } from "express";
import { Output } from "../../pipeline/output.js";
import { streamLines } from "./stream-lines.js";

/** Answers with what a long piece of work says, and then with what was done. It goes on when the client leaves. */
export async function streamWork<Done extends object>(
  response: Response,
  work: (out: Output, signal: AbortSignal) => Promise<Done>,
): Promise<void> {
  await streamLines<Done>(response, async (write) => {
    const out = new Output();
    out.watch((line) => write({ line }));
    return work(out, new AbortController().signal);
  });
}
