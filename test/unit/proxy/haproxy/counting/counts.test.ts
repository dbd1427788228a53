import { expect } from "chai";
import {
  isTable,
  parseErrors,
  parseHits,
  parseLatencies,
} from "../../../../../proxy/haproxy/counting/counts.js";

const ANSWER = `# pxname,svname,scur,hrsp_4xx,hrsp_5xx,
slot-00001,w1,0,9,9,
slot-00001,BACKEND,0,2,7,

# table: counters/latencies, type: string, size:4194304, used:2
0x7f0ef8040e10: key=a/v1|slot-00001|production|free|v1|18 use=1 exp=86399980 gpc0=4 gpc0_rate(10000)=1
0x7f0ef8040e11: key=a/v1|slot-00001|production|free|v1|31 use=0 exp=86399980 gpc0=1 gpc0_rate(10000)=0

# table: counters/hits, type: string, size:1048576, used:3
0x562e2e792e38: key=a/v1|slot-00001|production|free|v1 use=2 exp=86399979 http_req_cnt=6 http_req_rate(10000)=6 http_fail_cnt=3 bytes_out_cnt=518 gpc0=1 gpc1=2 gpc2=3 gpc3=4 gpc4=5 gpc5=6 gpc6=7 gpc7=8
0x562e2e792e39: key=b/v2|wake|new-cart|sticky|v2 use=0 exp=86399979 http_req_cnt=1 http_req_rate(10000)=1 bytes_out_cnt=0 gpc0=0 gpc1=0 gpc2=0 gpc3=0
0x562e2e792e40: key=a/v1|slot-00001|production|asked|v1 use=0 exp=86399979 http_req_cnt=2 http_req_rate(10000)=2 bytes_out_cnt=0 gpc0=0 gpc1=2 gpc2=0 gpc3=0

`;

describe("HAProxy's counts", () => {
  it("show table: what a release's visitors did, and whether some are there", () => {
    const key = "a/v1|slot-00001|production|free|v1";
    const hits = parseHits(ANSWER);
    expect(hits.get(key)).to.deep.equal({
      ...{ key, release: "a/v1", track: "production", asked: false, slot: "slot-00001", isOpen: true },
      ...{ requests: 6, bytes: 518, answers4xx: 1, answers5xx: 2, faults: 3, visitors: 3, goals: 4 },
      ...{ visitorsWithErrors: 5, visitorsWithManyErrors: 8, visitorsOverP90: 6, visitorsOverP99: 7 },
    });
    expect(hits.get("b/v2|wake|new-cart|sticky|v2")).to.include({
      ...{ release: "b/v2", track: "new-cart", slot: undefined, isOpen: false },
    });
    expect(hits.get("a/v1|slot-00001|production|asked|v1")).to.include({
      ...{
        release: "a/v1",
        track: "production",
        asked: true,
        slot: "slot-00001",
        requests: 2,
        answers5xx: 2,
      },
    });
    expect(hits.size).to.equal(3);
  });

  it("show table: answers by latency bucket", () => {
    const [[key, buckets] = []] = [...parseLatencies(ANSWER)];
    expect([key, [...(buckets ?? [])]]).to.deep.equal([
      "a/v1|slot-00001|production|free|v1",
      [
        [18, 4],
        [31, 1],
      ],
    ]);
  });

  it("show stat: 5xx answers of a whole slot", () => {
    expect([...parseErrors(ANSWER)]).to.deep.equal([["slot-00001", 7]]);
  });

  it("are not taken from an excuse", () => {
    expect(isTable(ANSWER)).to.equal(true);
    for (const text of ["", "Can't find the target PID matching the prefix '@!1'\n", "No such table\n"])
      expect(isTable(text), text).to.equal(false);
    expect(parseHits("No such table\n").size).to.equal(0);
  });
});
