import type { Response } from "express";
import { Output } from "../../pipeline/output.js";
import { streamLines } from "./stream-lines.js";

/** Streams the output of a long operation, then its result. The operation continues when the client disconnects. */
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
