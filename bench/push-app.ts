import type { TestClone } from "../test/support/git/test-clone.js";
import { wallClock } from "./machine/wall-clock.js";

/** Pushes what is committed, and gives the milliseconds it took. Throws with git's output when it fails. */
export async function pushApp(clone: TestClone, refspec = "HEAD:master"): Promise<number> {
  const began = wallClock();
  const { status, output } = await clone.push(refspec);
  const ms = wallClock() - began;
  if (status !== 0) throw new Error(`a push failed:\n${output}`);
  return ms;
}
