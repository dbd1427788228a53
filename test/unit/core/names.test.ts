import { expect } from "chai";
import fc from "fast-check";
import {
  branchOfRef,
  isEnvName,
  isProcessName,
  parseAppName,
  parseFlagName,
  parseReleaseName,
} from "../../../core/names.js";

describe("names", () => {
  it("takes letters, digits, dots, dashes and underscores as flags' names", () => {
    for (const name of ["a", "disableSET", "new-checkout", "v2.theme_x", "a".repeat(100)])
      expect(parseFlagName(name)).to.equal(name);
    for (const name of ["", "1a", "_a", "__proto__", "a b", "a/b", "a\n", "ü", "a".repeat(101)])
      expect(() => parseFlagName(name), name).to.throw("cannot be the name of a flag");
  });

  it("takes DNS labels as apps' names, and nothing else", () => {
    for (const name of ["a", "my-shop", "x1", "a".repeat(40)]) expect(parseAppName(name)).to.equal(name);
    for (const name of [
      "",
      "My",
      "-a",
      "a-",
      "a--b",
      "1a",
      "../x;rm",
      "a.b",
      "a/b",
      "a b",
      "a\n",
      "a".repeat(41),
    ]) {
      expect(() => parseAppName(name), name).to.throw("cannot be an app's name");
    }
  });

  it("never lets a name through that could leave a path, a key or a command", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        let parsed: string | undefined;
        try {
          parsed = parseAppName(name);
        } catch {
          return;
        }
        expect(parsed).to.match(/^[a-z0-9-]+$/);
      }),
    );
  });

  it("knows a branch by its ref, and refuses refs that are none", () => {
    expect(branchOfRef("refs/heads/feature/a.b-c")).to.equal("feature/a.b-c");
    for (const ref of [
      "refs/tags/v1",
      "refs/heads/",
      "refs/heads/../../x",
      "refs/heads/a..b",
      "refs/heads/a b",
      "refs/heads/a;b",
      "refs/heads/-x",
      "refs/heads/a/",
      "HEAD",
    ]) {
      expect(branchOfRef(ref), ref).to.equal(undefined);
    }
  });

  it("reads releases', processes' and variables' names", () => {
    expect([
      parseReleaseName("v42"),
      parseReleaseName("v0"),
      parseReleaseName("42"),
      parseReleaseName("v1x"),
    ]).to.deep.equal([42, undefined, undefined, undefined]);
    expect([isProcessName("web"), isProcessName("Web"), isProcessName("a.b")]).to.deep.equal([
      true,
      false,
      false,
    ]);
    expect([isEnvName("A_1"), isEnvName("1A"), isEnvName("A-B"), isEnvName("")]).to.deep.equal([
      true,
      false,
      false,
      false,
    ]);
  });
});
