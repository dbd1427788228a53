import { expect } from "chai";
import { PassThrough } from "node:stream";
import { writeWhenTaken } from "../../../../core/async/write-when-taken.js";

const LARGE = "x".repeat(100_000);

describe("writing at a reader's pace", () => {
  it("resolves at once while the reader keeps up", async () => {
    const output = new PassThrough();
    await writeWhenTaken(output, "line\n");
    expect(String(output.read())).to.equal("line\n");
  });

  it("waits for a reader that does not, with one wait for all who write", async () => {
    const output = new PassThrough();
    let taken = 0;
    const writes = Array.from({ length: 30 }, async () => writeWhenTaken(output, LARGE).then(() => taken++));
    await new Promise(setImmediate);
    expect(taken).to.equal(0);
    expect(output.listenerCount("drain")).to.equal(1);
    output.resume();
    await Promise.all(writes);
    expect(output.listenerCount("drain")).to.equal(0);
  });

  it("waits no longer for one that has gone", async () => {
    const output = new PassThrough();
    const write = writeWhenTaken(output, LARGE);
    output.destroy();
    await write;
    await writeWhenTaken(output, LARGE);
  });
});
