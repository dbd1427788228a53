import { expect } from "chai";
import {
  buildScript,
  gatesOfScripts,
  installsAlone,
  parsePackageJson,
} from "../../../../../server/builds/manifest/package-json.js";

const of = (value: object) => parsePackageJson(JSON.stringify(value));

describe("package.json", () => {
  it("gives the gates lint and test, but not npm's placeholder", () => {
    expect([...gatesOfScripts(of({ scripts: { lint: "eslint .", test: "mocha" } }))]).to.deep.equal([
      ["lint", "npm run lint"],
      ["test", "npm test"],
    ]);
    expect(
      gatesOfScripts(of({ scripts: { test: 'echo "Error: no test specified" && exit 1' } })).size,
    ).to.equal(0);
  });

  it("builds by heroku-postbuild, else build, else not", () => {
    expect(buildScript(of({ scripts: { build: "x", "heroku-postbuild": "y" } }))).to.equal(
      "heroku-postbuild",
    );
    expect(buildScript(of({ scripts: { build: "x" } }))).to.equal("build");
    expect(buildScript(of({}))).to.equal(undefined);
  });

  it("shares an installation only when nothing but the lockfile goes into it", () => {
    expect(installsAlone(of({ dependencies: { a: "^1", b: "npm:c@1", d: "git+https://x/y" } }))).to.equal(
      true,
    );
    for (const value of [
      { scripts: { postinstall: "x" } },
      { scripts: { prepare: "x" } },
      { workspaces: ["a"] },
      { dependencies: { a: "file:../a" } },
      { devDependencies: { a: "./a" } },
    ]) {
      expect(installsAlone(of(value)), JSON.stringify(value)).to.equal(false);
    }
  });

  it("says what is wrong with it", () => {
    expect(() => parsePackageJson("{")).to.throw("package.json cannot be used");
    expect(() => of({ scripts: { a: 1 } })).to.throw(/scripts\.a/);
  });
});
