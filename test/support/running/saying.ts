import { eventually } from "../eventually.js";
import type { PushResult } from "../git/test-clone.js";

/** Resolves when a push that is under way has said these words; fails with what it said instead. */
export async function saying(
  push: { readonly done: Promise<PushResult>; output(): string },
  words: RegExp,
): Promise<void> {
  let isOver = false;
  void push.done.then(() => (isOver = true));
  await eventually(`the push says ${words.source}`, () => {
    if (words.test(push.output())) return true;
    throw new Error(`${isOver ? "It ended with" : "It said"}:\n${push.output()}`);
  });
}
