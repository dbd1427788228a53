import { expect } from "chai";
import type { PushResult } from "./git/test-clone.js";

/** The push went through; if not, what it said is shown. */
export function expectAccepted({ status, output }: PushResult): void {
  expect(status, output).to.equal(0);
}
