import { expect } from "chai";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { branchNameProblem } from "../../../../../../server/webhooks/forges/reading/branch-name.js";

describe("a branch's name", () => {
  it("may be what people call branches", () => {
    const names = [
      "main",
      "feature/a",
      "v1.2.3",
      "a@b",
      "dependabot/npm_and_yarn/@types/node-1.2",
      "čaj",
      "#1",
      "a--b",
    ];
    for (const name of [...names, "x".repeat(255)]) expect(branchNameProblem(name), name).to.equal(undefined);
  });

  it("is refused with the reason", () => {
    const cases: readonly [string, string][] = [
      ["", "empty"],
      ["x".repeat(256), "longer than 255 bytes"],
      ["č".repeat(128), "longer than 255 bytes"],
      ["a\u0000", "control character"],
      ["a\n", "control character"],
      ["a\u007f", "control character"],
      ["a\u202eb", "control character"],
      ["a\ud800", "control character"],
      ["-x", "begins with a dash"],
      ["--upload-pack=x", "begins with a dash"],
      ["a..b", "two dots"],
      ["../x", "two dots"],
      ["a b", "characters that Git does not allow"],
      ["a@{1}", "characters that Git does not allow"],
      ["@", "characters that Git does not allow"],
      ["a\\b", "characters that Git does not allow"],
      ["/a", "a part of it"],
      ["a//b", "a part of it"],
      ["a/", "a part of it"],
      [".a", "a part of it"],
      ["a/.b", "a part of it"],
      ["a.lock/b", "a part of it"],
      ["a.", "a part of it"],
    ];
    for (const [name, problem] of cases) expect(branchNameProblem(name), name).to.include(problem);
  });

  it("is one that git itself takes, and only what a log or a command could choke on is refused beside", () => {
    const unit = fc.constantFrom(..."ab-./@{}~^:?*[\\ #čé\u0001\u007f".split(""), ".lock", "..");
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 6 }), (name) => {
        const git = spawnSync("git", ["check-ref-format", `refs/heads/${name}`]);
        const isOurs = name.startsWith("-") || name === "@";
        expect(branchNameProblem(name) === undefined, JSON.stringify(name)).to.equal(
          git.status === 0 && !isOurs,
        );
      }),
      { numRuns: 300 },
    );
  });
});
