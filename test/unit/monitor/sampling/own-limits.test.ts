import { expect } from "chai";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { OwnLimits } from "../../../../monitor/sampling/own-limits.js";
import { KernelFiles } from "../../../../core/kernel/kernel-files.js";

describe("the limits of this process's control groups", () => {
  let mount: string;
  let files: KernelFiles;
  beforeEach(async () => {
    mount = await mkdtemp(join(tmpdir(), "cgroups-"));
    files = new KernelFiles();
  });
  afterEach(async () => {
    files.close();
    await rm(mount, { recursive: true });
  });

  const write = async (texts: Readonly<Record<string, string>>): Promise<void> => {
    for (const [path, text] of Object.entries(texts)) {
      await mkdir(dirname(join(mount, path)), { recursive: true });
      await writeFile(join(mount, path), text);
    }
  };
  const limits = (ownGroups: string): OwnLimits => new OwnLimits(files, mount, ownGroups, 100);

  it("are the tightest of those above it, with what is used there (version 2)", async () => {
    await write({
      "cgroup.controllers": "cpu memory\n",
      "a/cpu.max": "100000 100000\n",
      "a/cpu.stat": "usage_usec 30\nuser_usec 20000000\nsystem_usec 10000000\n",
      "a/b/cpu.max": "max 100000\n",
      "a/b/cpu.stat": "usage_usec 3\nuser_usec 2\nsystem_usec 1\n",
      "a/memory.max": "max\n",
      "a/b/memory.max": "1048576\n",
      "a/b/memory.current": "600000\n",
      "a/b/memory.stat": "anon 1\ninactive_file 100000\n",
    });
    const own = limits("0::/a/b\n");
    expect(own.cpuLimit(2)).to.deep.equal({ cpus: 1, used: { userSeconds: 20, systemSeconds: 10 } });
    expect(own.memoryLimit(2 ** 32)).to.deep.equal({ limitBytes: 1048576, usedBytes: 500000 });
    expect(own.cpuLimit(1), "the machine is as small").to.equal(undefined);
    expect(own.memoryLimit(1000), "the machine is smaller").to.equal(undefined);
    await write({ "a/b/cpu.max": "50000 100000\n" });
    expect(own.cpuLimit(2)?.cpus, "changed while we run").to.equal(0.5);
  });

  it("are found where a container sees its own group as the mount itself (version 1)", async () => {
    await write({
      "cpu/cpu.cfs_quota_us": "150000\n",
      "cpu/cpu.cfs_period_us": "100000\n",
      "cpuacct/cpuacct.stat": "user 500\nsystem 100\n",
      "memory/memory.limit_in_bytes": "1048576\n",
      "memory/memory.usage_in_bytes": "300000\n",
      "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 100000\n",
    });
    const own = limits("4:memory:/docker/abc\n2:cpuacct,cpu:/docker/abc\n");
    expect(own.cpuLimit(2)).to.deep.equal({ cpus: 1.5, used: { userSeconds: 5, systemSeconds: 1 } });
    expect(own.memoryLimit(2 ** 32)).to.deep.equal({ limitBytes: 1048576, usedBytes: 200000 });
  });

  it("are none where nothing is limited, or nothing can be read", async () => {
    await write({
      "cgroup.controllers": "cpu memory\n",
      "cpu.max": "max 100000\n",
      "memory.max": "rubbish\n",
      "x/cpu.max": "50000 100000\n",
    });
    for (const text of ["0::/\n", "0::/x\n", "", "0::/no/such/group\n"]) {
      expect(limits(text).cpuLimit(2), text).to.equal(undefined);
      expect(limits(text).memoryLimit(2 ** 32), text).to.equal(undefined);
    }
  });
});
