import { expect } from "chai";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Home } from "../../../../../../core/home.js";
import { controlGroup } from "../../../../../../core/instances/control-group.js";
import { RunitUsage } from "../../../../../../server/engines/runit/usage/runit-usage.js";

const ID = "shop.v1.web.1";

describe("what instances have used", () => {
  let folder: string;
  let home: Home;
  let reader: RunitUsage;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "instances-"));
    home = new Home(join(folder, "home"));
  });
  afterEach(async () => {
    reader.close();
    await rm(folder, { recursive: true });
  });

  const write = async (texts: Readonly<Record<string, string>>): Promise<void> => {
    for (const [path, text] of Object.entries(texts)) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
  };
  const readings = (): RunitUsage =>
    (reader = new RunitUsage(home, {
      ...{ proc: join(folder, "proc"), cgroups: join(folder, "cgroups") },
      units: { pageBytes: 4096, ticksPerSecond: 100 },
    }));
  const stat = (group: number, ticks: number, pages: number): string =>
    `1 (a b) S 1 ${group} 1 0 -1 0 0 0 0 0 ${ticks} 0 0 0 20 0 1 0 5 5 ${pages} 0`;

  it("is asked of their control groups (version 2)", async () => {
    const group = controlGroup(join(folder, "cgroups"), "sluice", home.root, ID);
    await write({
      [join(home.service(ID), "end")]: "3 1 0\n",
      [join(home.service("redis"), "run")]: "",
      [join(folder, "cgroups/cgroup.controllers")]: "memory\n",
      [join(group, "memory.current")]: "5000\n",
      [join(group, "memory.stat")]: "inactive_file 1000\n",
      [join(group, "cpu.stat")]: "usage_usec 1\nuser_usec 2000000\nsystem_usec 500000\n",
    });
    readings();
    expect([...(await reader.read())]).to.deep.equal([
      [ID, { cpuSeconds: 2.5, memoryBytes: 4000, restarts: 3 }],
    ]);
    await rm(home.service(ID), { recursive: true });
    expect((await reader.read()).size, "it was stopped").to.equal(0);
  });

  it("is asked of the processes in their control groups (version 1)", async () => {
    const group = controlGroup(join(folder, "cgroups/memory"), "sluice", home.root, ID);
    await write({
      [join(home.service(ID), "run")]: "",
      [join(group, "memory.usage_in_bytes")]: "9000\n",
      [join(group, "memory.stat")]: "total_inactive_file 1000\n",
      [join(group, "cgroup.procs")]: "11\n12\n13\n",
      [join(folder, "proc/11/stat")]: stat(11, 150, 1),
      [join(folder, "proc/12/stat")]: stat(99, 50, 1),
    });
    expect([...(await readings().read())]).to.deep.equal([
      [ID, { cpuSeconds: 2, memoryBytes: 8000, restarts: 0 }],
    ]);
  });

  for (const [version, texts] of [
    [
      2,
      (group: string, ticks: number, bytes: number) => ({
        [join(folder, "cgroups/cgroup.controllers")]: "memory\n",
        [join(group, "memory.current")]: `${bytes}\n`,
        [join(group, "cpu.stat")]: `user_usec ${ticks * 10_000}\nsystem_usec 0\n`,
      }),
    ],
    [
      1,
      (group: string, ticks: number, bytes: number) => ({
        [join(group, "memory.usage_in_bytes")]: `${bytes}\n`,
        [join(group, "cgroup.procs")]: "11\n",
        [join(folder, "proc/11/stat")]: stat(11, ticks, 1),
      }),
    ],
  ] as const)
    it(`is asked in full as soon as they have done something, else now and then (version ${version})`, async () => {
      const mount = join(folder, version === 2 ? "cgroups" : "cgroups/memory");
      const group = controlGroup(mount, "sluice", home.root, ID);
      const set = async (ticks: number, bytes: number): Promise<void> => write(texts(group, ticks, bytes));
      await write({ [join(group, "memory.stat")]: "inactive_file 0\n", [join(home.service(ID), "run")]: "" });
      await set(100, 5000);
      readings();
      const look = async (): Promise<number[]> => {
        const { cpuSeconds = 0, memoryBytes = 0 } = (await reader.read()).get(ID) ?? {};
        return [cpuSeconds, memoryBytes];
      };
      expect(await look()).to.deep.equal([1, 5000]);
      await set(150, 6000);
      expect(await look(), "it has worked").to.deep.equal([1.5, 6000]);
      await set(150, 7000);
      expect(await look(), "it has more memory").to.deep.equal([1.5, 7000]);
      await write({ [join(group, "memory.stat")]: "inactive_file 1000\n" });
      expect(await look(), "it has done nothing").to.deep.equal([1.5, 7000]);
      const later: number[][] = [];
      for (let times = 0; times < 10; times++) later.push(await look());
      expect(later.at(-1)).to.deep.equal([1.5, 6000]);
    });

  it("is nothing where nothing can be found out, and breaks nothing", async () => {
    expect((await readings().read()).size, "no service folder").to.equal(0);
    await write({ [join(home.service(ID), "supervise/status")]: "rubbish", [join(folder, "proc/x")]: "" });
    expect((await readings().read()).size).to.equal(0);
  });
});
