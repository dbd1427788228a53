import type { Response } from "express";
import { Output } from "../../pipeline/output.js";
import { streamLines } from "./stream-lines.js";

/** Bytes that may wait for a client that reads slowly; further lines are left out. */
const MOST_WAITING_BYTES = 1024 * 1024;

/**
 * Streams the output of a long operation, then its result. The operation continues when the client disconnects, and does not
 * wait for one that reads slowly.
 */
export async function streamWork<Done extends object>(
  response: Response,
  work: (out: Output, signal: AbortSignal) => Promise<Done>,
): Promise<void> {
  await streamLines<Done>(response, async (write) => {
    const out = new Output();
    out.watch((line) => {
      if (response.writableLength < MOST_WAITING_BYTES) void write({ line });
    });
    return work(out, new AbortController().signal);
  });
}
