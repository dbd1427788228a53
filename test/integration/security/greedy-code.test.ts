import { expect } from "chai";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { startLoad } from "../../support/running/load.js";
import { TestSluice } from "../../support/running/test-sluice.js";

const FORKS = "bomb() { bomb | bomb & }; bomb; sleep 3; echo the shell lives";
const HOG = `node -e 'const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))'`;
const FILLER = "dd if=/dev/zero of=/tmp/film bs=1M count=4096 && echo GOT 4 GB";

/** What takes all that there is gets its limit, and is told; nobody else notices. */
describe("greedy code", function () {
  this.timeout(90_000);
  let sluice: TestSluice;
  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    sluice = await TestSluice.start({
      settings: {
        limits: { taskMemoryMegabytes: 128, taskProcesses: 60, taskScratchMegabytes: 16 },
        instances: { processes: 60, scratchMegabytes: 16 },
      },
    });
    await (await sluice.clone("bank", tinyApp())).mustPush();
  });
  after(async () => sluice.dispose());

  const gate = async (app: string, script: string): Promise<string> => {
    const test = {
      "package.json": JSON.stringify({ scripts: { test: "sh ./gate.sh" } }),
      "gate.sh": `${script}\n`,
    };
    const clone = await sluice.clone(app, tinyApp(test));
    return (await clone.push()).output;
  };
  const taskGroups = async (): Promise<string[]> =>
    (
      await Promise.all(
        [
          "/sys/fs/cgroup/sluice-tasks",
          "/sys/fs/cgroup/memory/sluice-tasks",
          "/sys/fs/cgroup/pids/sluice-tasks",
        ].map(async (folder) => readdir(folder).catch(() => [])),
      )
    )
      .flat()
      .filter((name) => /^(?:forks|hog|filler)\./.test(name));

  for (const [app, what, script, told] of [
    ["forks", "a fork bomb", FORKS, /It needed more than 60 processes and threads/],
    ["hog", "one that takes memory without end", HOG, /It needed more than 128 MB of memory/],
    ["filler", "one that fills its /tmp", FILLER, /No space left on device/],
  ] as const)
    it(`${what}, in a gate: is stopped at its limit and told`, async () => {
      const load = startLoad(sluice.httpPort, "bank");
      const output = await gate(app, script);
      expect(output).to.match(told);
      expect(output).not.to.include("GOT");
      expect((await load.stop()).failures).to.deep.equal([]);
      await eventually("nothing of it is left", async () => (await taskGroups()).length === 0);
    });

  for (const [app, what, script, limits] of [
    ["forks-on", "a fork bomb", FORKS, {}],
    ["hog-on", "one that takes memory without end", HOG, { memoryMegabytes: 64 }],
    ["filler-on", "one that fills its folder", "dd if=/dev/zero of=film bs=1M count=4096", {}],
  ] as const)
    it(`${what}, in an instance: nobody else notices, and it goes when it is stopped`, async () => {
      const load = startLoad(sluice.httpPort, "bank");
      const files = tinyApp({
        "greedy.sh": `${script}\nexec sleep 1000\n`,
        Procfile: "web: node server.js\nworker: sh greedy.sh\n",
        "app.json": JSON.stringify({
          formation: { web: { quantity: 1 }, worker: { quantity: 1 } },
          sluice: limits,
        }),
      });
      const clone = await sluice.clone(app, files);
      await clone.push();
      await eventually(
        "it was greedy",
        async () => {
          const { stdout } = await sluice.cli("logs", app);
          return /No space left|[Cc]annot fork|the shell lives|ended \d+ times|Killed/.test(stdout);
        },
        40_000,
      );
      expect((await load.stop()).failures).to.deep.equal([]);
      expect((await sluice.cli("destroy", app, "--yes")).status).to.equal(0);
      expect(
        (await readdir(join(sluice.home, "services"))).filter((id) => id.startsWith(`${app}.`)),
      ).to.deep.equal([]);
    });
});
