import { expect } from "chai";
import { releaseRecordSchema } from "../../../../../core/records/releases/release-record.js";

/** As 0.1.0 wrote it. */
const STORED = {
  ...{ v: 1, app: "shop", number: 7, commit: "abc", branch: "master", track: "production", phase: "settled" },
  ...{
    source: "push",
    order: "rollback",
    by: "me",
    at: "2026-11-01T00:00:00Z",
    reachedAt: {},
    processes: [],
  },
  instances: [],
  nodeFolder: "/home/runtimes/v20.1.0/bin",
  traffic: {
    ...{ sticky: true, listen: "socket", drainSeconds: 1, standbySeconds: 2, sessionIdleSeconds: 3 },
    memoryMegabytes: 64,
  },
};

describe("a release's record of an earlier version", () => {
  it("is read as if this one had written it, and once more after that", () => {
    const record = releaseRecordSchema.parse(STORED);
    expect(record).to.include({ steps: "rollback" });
    expect(record.artifact).to.deep.equal({ kind: "tree", nodeFolder: "/home/runtimes/v20.1.0/bin" });
    expect(record.serving).to.deep.include({
      sticky: true,
      listen: "socket",
      memoryMegabytes: 64,
      sleepSeconds: 0,
    });
    expect(record).not.to.have.any.keys("order", "traffic", "nodeFolder");
    expect(releaseRecordSchema.parse(JSON.parse(JSON.stringify(record)))).to.deep.equal(record);
  });

  it("may have run with the machine's own Node.js", () => {
    const stored = { ...STORED, nodeFolder: undefined };
    expect(releaseRecordSchema.parse(stored).artifact).to.deep.equal({ kind: "tree" });
  });
});
