import type { Writable } from "node:stream";

/** One wait for each output, however many wait for it. */
const waits = new WeakMap<Writable, Promise<void>>();

/** Writes, and resolves when the reader has taken enough for more to be written, or has gone. */
export async function writeWhenTaken(output: Writable, text: string): Promise<void> {
  if (output.destroyed || output.writableEnded || output.write(text)) return;
  const wait = waits.get(output) ?? untilTaken(output);
  waits.set(output, wait);
  await wait;
}

async function untilTaken(output: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      output.off("drain", done);
      output.off("close", done);
      waits.delete(output);
      resolve();
    };
    output.once("drain", done);
    output.once("close", done);
  });
}
