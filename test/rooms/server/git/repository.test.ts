import { expect } from "chai";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outputOf } from "../../../../core/exec/exec.js";
import { gitEnvironment } from "../../../../server/git/git-environment.js";
import { Repository } from "../../../../server/git/repository.js";

describe("an app's repository", () => {
  let folder: string;
  let repository: Repository;
  let first: string;
  let second: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-repository-"));
    await mkdir(gitHome());
    await Repository.ensure(path(), gitHome());
    repository = new Repository(path(), gitHome());
    const tree = await git("mktree");
    first = await commit(tree, "Prix : 3 ò 4, “fine”");
    second = await commit(tree, "");
    await repository.setHead("master", first);
    await repository.setHead("feature/login", second);
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it("is made once, with master as its first branch", async () => {
    await Repository.ensure(path(), gitHome());
    expect(await git("symbolic-ref", "HEAD")).to.equal("refs/heads/master");
    expect(await git("rev-parse", "--is-bare-repository")).to.equal("true");
  });

  it("knows the commit of a branch, and not one of a branch below it", async () => {
    expect(await repository.head("master")).to.equal(first);
    expect(await repository.head("feature/login")).to.equal(second);
    expect(await repository.head("feature")).to.equal(undefined);
    expect(await repository.head("staging")).to.equal(undefined);
  });

  it("lists a branch whose commit is lost", async () => {
    await writeFile(join(path(), "refs/heads/lost"), `${"b".repeat(40)}\n`);
    expect(await repository.branches()).to.deep.equal(["feature/login", "lost", "master"]);
    expect(await repository.head("lost")).to.equal("b".repeat(40));
  });

  it("removes a branch, and none that is not there", async () => {
    await repository.removeHead("master");
    await repository.removeHead("master");
    await repository.removeRef("refs/sluice/none");
    expect(await repository.branches()).to.deep.equal(["feature/login"]);
  });

  it("knows what a ref reaches", async () => {
    expect(await repository.reaches("refs/heads/master", first)).to.equal(true);
    expect(await repository.reaches("refs/heads/master", second)).to.equal(false);
    expect(await repository.reaches("refs/heads/master", "b".repeat(40))).to.equal(false);
  });

  it("reads the subject and the type of a commit", async () => {
    expect(await repository.subject(first)).to.equal("Prix : 3 ò 4, “fine”");
    expect(await repository.subject(second)).to.equal("");
    expect(await repository.typeOf(first)).to.equal("commit");
    const missing: unknown = await repository.typeOf("b".repeat(40)).catch((error: unknown) => error);
    expect(missing).to.be.instanceOf(Error);
  });

  it("refuses what git would take for an option", async () => {
    const refused: unknown = await repository.subject("--output=x").catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error).with.property("message").that.includes("expects a name");
  });

  const path = (): string => join(folder, "repo.git");
  const gitHome = (): string => join(folder, "home");

  async function commit(tree: string, message: string): Promise<string> {
    return git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit-tree", tree, "-m", message);
  }

  async function git(...args: string[]): Promise<string> {
    return outputOf({ argv: ["git", "-C", path(), ...args], env: gitEnvironment(gitHome()) });
  }
});
