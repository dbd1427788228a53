import { expect } from "chai";
import {
  commitDeepFile,
  commitHugeFile,
  commitHugeLink,
  commitTreeBomb,
} from "../../fixtures/attacks/huge-objects.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import type { TestClone } from "../../support/git/test-clone.js";
import { peakMegabytes } from "../../support/running/peak-memory.js";
import { TestSluice } from "../../support/running/test-sluice.js";

describe("a commit of a few objects that is huge when it is read", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  let clone: TestClone;
  let pid: number;
  let idleMegabytes: number;

  before(async () => {
    sluice = await TestSluice.start();
    clone = await sluice.clone("huge", tinyApp());
    await clone.mustPush();
    pid = await sluice.pid();
    idleMegabytes = await peakMegabytes(pid);
  });
  after(async () => sluice.dispose());

  const attacks: Readonly<Record<string, readonly [() => Promise<string>, RegExp]>> = {
    "a link with a target of 200 MB": [
      async () => commitHugeLink(clone, 200),
      /The target of the symbolic link link is longer than 4096 bytes/,
    ],
    "a package.json of 40 MB": [
      async () => commitHugeFile(clone, "package.json", 40),
      /package\.json is larger than 1 MB/,
    ],
    "an app.json of 40 MB": [
      async () => commitHugeFile(clone, "app.json", 40),
      /app\.json is larger than 1 MB/,
    ],
    "a file deeper than a program can reach": [
      async () => commitDeepFile(clone, 30, 200),
      /A path in the commit is longer than 2048 bytes: d+/,
    ],
    "ten thousand million files": [
      async () => commitTreeBomb(clone, 10),
      /The commit has more than 500000 files/,
    ],
  };
  for (const [what, [commit, message]] of Object.entries(attacks)) {
    it(`is declined: ${what}`, async () => {
      const { status, output } = await clone.push(`${await commit()}:refs/heads/master`);
      expect(status, output).not.to.equal(0);
      expect(output).to.match(message);
      expect((await peakMegabytes(pid)) - idleMegabytes).to.be.below(120);
      expect((await sluice.get("huge")).body).to.equal("v1 web.1");
    });
  }
});

describe("a push of many refs", function () {
  this.timeout(90_000);

  it("is declined over the limit of branches, and of refs", async () => {
    const sluice = await TestSluice.start();
    try {
      const clone = await sluice.clone("refs", tinyApp());
      const commit = await clone.git("rev-parse", "HEAD");
      for (const [kind, count, message] of [
        ["heads", 101, /The push changes more than 100 branches/],
        ["tags", 1001, /The push changes more than 1000 refs/],
      ] as const) {
        const refs = Array.from({ length: count }, (_none, index) => `${commit}:refs/${kind}/r${index}`);
        const { status, output } = await clone.push(...refs);
        expect(status, output).not.to.equal(0);
        expect(output).to.match(message);
      }
    } finally {
      await sluice.dispose();
    }
  });
});
