import { expect } from "chai";
import { parseStatus } from "../../../../core/exec/runsv.js";

/** supervise/status: TAI64N label, pid (little endian), paused, wanted, got TERM, state. */
function status({ seconds = 0, nanoseconds = 0, pid = 0, state = 0 }): Buffer {
  const buffer = Buffer.alloc(20);
  buffer.writeBigUInt64BE(2n ** 62n + 10n + BigInt(seconds), 0);
  buffer.writeUInt32BE(nanoseconds, 8);
  buffer.writeUInt32LE(pid, 12);
  buffer.writeUInt8(state, 19);
  return buffer;
}

describe("the status that runsv writes", () => {
  it("tells the pid of a service that runs, and since when", () => {
    const running = status({ seconds: 1_763_700_000, nanoseconds: 250_000_000, pid: 70_000, state: 1 });
    expect(parseStatus(running)).to.deep.equal({ pid: 70_000, since: 1_763_700_000_250 });
  });

  it("has no pid of one that is down, or whose finish script runs", () => {
    expect(parseStatus(status({ seconds: 5 }))).to.deep.equal({ pid: undefined, since: 5000 });
    expect(parseStatus(status({ seconds: 5, pid: 12, state: 2 })).pid).to.equal(undefined);
  });

  it("is of one that is down when it is cut short: runsv is just writing it", () => {
    const whole = status({ seconds: 5, pid: 12, state: 1 });
    for (const length of [0, 1, 19]) {
      expect(parseStatus(whole.subarray(0, length)), String(length)).to.deep.equal({
        pid: undefined,
        since: 0,
      });
    }
  });
});
