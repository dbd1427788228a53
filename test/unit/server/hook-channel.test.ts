import { expect } from "chai";
import { parseRequest } from "../../../server/push/hook-channel.js";
import { readQuarantine } from "../../../server/push/quarantine.js";

describe("a hook's request", () => {
  it("carries refs, options and git's variables", () => {
    const request = parseRequest("pre-receive", [
      "env GIT_OBJECT_DIRECTORY=/r/objects/q=1",
      "option skip-gates",
      "update 0 1 refs/heads/master",
      "unknown x",
    ]);
    expect(request).to.deep.equal({
      hook: "pre-receive",
      updates: [{ before: "0", after: "1", ref: "refs/heads/master" }],
      options: ["skip-gates"],
      environment: { GIT_OBJECT_DIRECTORY: "/r/objects/q=1" },
    });
  });

  it("may name quarantine folders inside the repository only", () => {
    expect(readQuarantine({ GIT_OBJECT_DIRECTORY: "./objects/q", OTHER: "x" }, "/r")).to.deep.equal({
      GIT_OBJECT_DIRECTORY: "/r/objects/q",
    });
    for (const path of ["/etc", "../x", "/r2/objects", "objects/../../x"]) {
      expect(() => readQuarantine({ GIT_QUARANTINE_PATH: path }, "/r"), path).to.throw(
        "not inside the repository",
      );
    }
  });
});
