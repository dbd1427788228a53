import { expect } from "chai";
import {
  parseLoads,
  parseMap,
  parseOpenStreams,
  parseProcesses,
  parseServers,
} from "../../../../../proxy/haproxy/runtime/answers.js";
import { argument } from "../../../../../proxy/haproxy/runtime/runtime.js";

describe("HAProxy's answers", () => {
  it("show map: key and value", () => {
    expect([
      ...(parseMap("0x55ba83d28880 hello/v1 slot-1|production|free\n0x1 * a/production\n\n") ?? []),
    ]).to.deep.equal([
      ["hello/v1", "slot-1|production|free"],
      ["*", "a/production"],
    ]);
  });

  it("show servers state: by the names of its columns; another format is refused", () => {
    const answer =
      "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_port\n3 slot-1 1 a.v1.web.1:80 127.0.0.1 2 4 18181\n3 slot-2 1 a.v2.web.1 /run/a.sock 2 5 0\n";
    expect(parseServers(answer)).to.deep.equal([
      { slot: "slot-1", server: "a.v1.web.1:80", address: "127.0.0.1:18181", isOut: false },
      { slot: "slot-2", server: "a.v2.web.1", address: "unix@/run/a.sock", isOut: true },
    ]);
    expect(() => parseServers("2\n# be_id\n")).to.throw("format 2");
  });

  it("show stat: a backend's open streams and idle time", () => {
    const answer =
      "# pxname,svname,scur,lastsess,\nslot-1,web,1,3,\nslot-1,BACKEND,2,7,\nslot-2,BACKEND,0,-1,\n";
    expect([...parseLoads(answer)]).to.deep.equal([
      ["slot-1", { connections: 2, idleSeconds: 7 }],
      ["slot-2", { connections: 0, idleSeconds: Infinity }],
    ]);
  });

  it("show stat: what is open on one server of a backend", () => {
    const answer = "# pxname,svname,scur,lastsess,\nslot-1,w1,1,3,\nslot-1,w10,4,3,\n";
    expect([
      parseOpenStreams(answer, "w1"),
      parseOpenStreams(answer, "w10"),
      parseOpenStreams(answer, "w2"),
      parseOpenStreams("", "w1"),
    ]).to.deep.equal([1, 4, 0, 0]);
  });

  it("show proc: the present worker and the old ones", () => {
    const answer =
      "#<PID> <type> <reloads> <uptime> <version>\n10 master 2 [failed: 1] 0d 2.6\n# workers\n20 worker 0 0d 2.6\n# old workers\n15 worker 1 0d 2.6\n# programs\n";
    expect(parseProcesses(answer)).to.deep.equal({ workers: [20], oldWorkers: [15], reloads: 2, failed: 1 });
    expect(parseProcesses("")).to.deep.equal({ workers: [], oldWorkers: [], reloads: 0, failed: 0 });
  });

  it("are only asked for with arguments that cannot end a command", () => {
    expect(argument("unix@/tmp/a-b_c.sock")).to.equal("unix@/tmp/a-b_c.sock");
    for (const text of ["a;b", "a b", "a\nb", "", "a'b", 'a"b', "a\\b", "a#b"])
      expect(() => argument(text), text).to.throw("not an argument");
  });
});
