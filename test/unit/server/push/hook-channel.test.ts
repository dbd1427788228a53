import { expect } from "chai";
import fc from "fast-check";
import { parseRequest } from "../../../../server/push/hook-channel.js";
import { readQuarantine } from "../../../../server/push/quarantine.js";

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

  it("keeps every character of an option and of a variable's value", () => {
    const text = fc.string({ unit: "binary" }).filter((value) => !/[\r\n]/.test(value));
    fc.assert(
      fc.property(text, text, (option, value) => {
        const { options, environment } = parseRequest("post-receive", [
          `option ${option}`,
          `env NAME=${value}`,
        ]);
        expect([options, environment]).to.deep.equal([[option], { NAME: value }]);
      }),
    );
  });

  it("is as empty as it can be when its lines say nothing", () => {
    const empty = { hook: "pre-receive", updates: [], options: [], environment: {} };
    expect(parseRequest("pre-receive", [])).to.deep.equal(empty);
    expect(parseRequest("pre-receive", ["", "updates a b c", "ENV A=1"])).to.deep.equal(empty);
    const update = { before: "a", after: "", ref: "" };
    expect(parseRequest("pre-receive", ["update a"]).updates).to.deep.equal([update]);
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
