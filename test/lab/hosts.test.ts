import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { execa } from "execa";
import { NUMBERS } from "./lab.js";
import { LabTest } from "./lab-test.js";

const SCRIPT = new URL("./support/open-lab.ts", import.meta.url).pathname;

describe("the lab", function () {
  this.timeout(300_000);
  const trial = new LabTest();
  before(async function () {
    await trial.open(this);
  });
  afterEach(async () => trial.lab.close());

  it("has hosts that reach each other by their own addresses", async () => {
    const [one, two] = await trial.lab.boot(2);
    expect(await one?.run(`ssh-keyscan -t ed25519 ${two?.address} 2>/dev/null`)).to.include("ssh-ed25519");
    expect(await two?.run("cat /etc/debian_version; node --version; npm --version")).to.match(
      /^\d+.*\nv\d+.*\n\d+/,
    );
  });

  it("has hosts whose power fails, and that come back with what was on their disks", async () => {
    const [host] = await trial.lab.boot(1);
    await host?.run("echo kept >/root/note; sync; setsid sleep 1000 >/dev/null 2>&1 &");
    await host?.powerOff();
    expect(await host?.run("true").catch(() => "silent")).to.equal("silent");
    await host?.powerOn();
    expect(await host?.run("cat /root/note; pgrep -x sleep || echo none")).to.equal("kept\nnone");
  });

  it("leaves nothing, nor does one whose test was killed", async () => {
    const killed = spawn(process.execPath, ["--import", "tsx", SCRIPT], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const labs = [process.pid, killed.pid ?? 0];
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(await leftOvers(labs)).not.to.deep.equal([]);
    const after = new LabTest();
    await after.open(this.ctx);
    await after.lab.boot(1);
    await after.close();
    expect(await leftOvers(labs)).to.deep.equal([]);
  });
});

/** Networks, mounts, processes and rules of these labs; others may be at work. */
async function leftOvers(pids: readonly number[]): Promise<string[]> {
  const ours = new RegExp(`sluice.lab.(${pids.join("|")})\\b`);
  const named = (text: string): string[] => text.split("\n").filter((line) => ours.test(line));
  const rules = named((await execa("nft", ["list", "tables"])).stdout.replaceAll("_", "-"));
  const mounts = named(await readFile("/proc/mounts", "utf8"));
  const namespaces = named((await readdir("/run/netns").catch(() => [])).join("\n"));
  const { stdout } = await execa("pgrep", ["-a", "-f", "sluice-lab"], { reject: false });
  return [...rules, ...mounts, ...namespaces, ...named(stdout), ...(await devicesOfNobody())];
}

async function devicesOfNobody(): Promise<string[]> {
  const taken = await readdir(NUMBERS);
  const devices = (await readdir("/sys/class/net")).filter((name) => name.startsWith("lab-"));
  return devices.filter((name) => !taken.includes(name.split("-")[1] ?? ""));
}
