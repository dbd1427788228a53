import { expect } from "chai";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "../../support/eventually.js";
import { tinyApp } from "../../support/git/tiny-app.js";
import { mountSmall, unmount } from "../../support/running/small-disk.js";
import { TestSluice } from "../../support/running/test-sluice.js";

describe("a disk that has room, but for no more files", function () {
  this.timeout(90_000);
  let disk: string | undefined;
  let sluice: TestSluice;

  before(async function () {
    disk = await mountSmall("size=400m,nr_inodes=8000,mode=711");
    if (disk === undefined) this.skip();
    sluice = await TestSluice.start({ homeFolder: join(disk, "home") });
  });
  after(async () => {
    if (disk === undefined) return;
    await sluice.dispose();
    await unmount(disk);
  });

  it("declines the push that takes them, and gives them back", async () => {
    const clone = await sluice.clone("files", tinyApp());
    await clone.mustPush();
    const gate = "mkdir many; cd many; seq 20000 | xargs -n 500 touch; echo all made";
    await clone.commit({ "app.json": JSON.stringify({ sluice: { gates: { many: gate } } }) });
    const { status, output } = await clone.push();
    expect(status, output).not.to.equal(0);
    expect(output).to.match(/The disk of \S+ is full: room for \d+ files \(inodes\), 160 must stay free/);
    expect((await sluice.get("files")).body).to.equal("v1 web.1");
    await clone.commit({ "app.json": "{}" });
    await clone.mustPush();
  });

  it("is noticed without any release, and told by the log and by doctor", async () => {
    const folder = join(sluice.home, "apps/files/build-home/many");
    await mkdir(folder, { recursive: true });
    for (let count = 0; count < 10_000; count++) {
      const isMade = await writeFile(join(folder, String(count)), "").then(
        () => true,
        () => false,
      );
      if (!isMade) break;
    }
    const line = await eventually("the log says so", async () =>
      (await sluice.serverLog()).split("\n").find((text) => text.includes("the disk is full: pushes")),
    );
    expect(JSON.parse(line)).to.include({ level: 50 });
    const { status, stdout } = await sluice.cli("doctor");
    expect(status).to.equal(1);
    expect(stdout).to.match(/! {2}disk: \d+ MB free, room for \d+ files; most is in \S+ \d+ MB/);
    expect((await sluice.get("files")).status).to.equal(200);
  });
});

describe("what others on the machine can read", function () {
  this.timeout(60_000);

  it("is nothing that a release printed, and a sluice.yml with secrets is told at the start", async () => {
    const sluice = await TestSluice.prepare({
      settings: {
        monitor: { rules: [], webhook: { url: "http://127.0.0.1:1/", secret: `whsec_${"x".repeat(32)}` } },
      },
    });
    try {
      await chmod(join(sluice.home, "sluice.yml"), 0o644);
      await sluice.up();
      const said = await eventually("it is told", async () => {
        const text = await readFile(join(sluice.home, "up.log"), "utf8");
        return text.includes("can be read by others") && text;
      });
      expect(said).to.include(`chmod 600 ${join(sluice.home, "sluice.yml")}`);
      const clone = await sluice.clone("quiet", tinyApp());
      await clone.mustPush();
      const output = await stat(join(sluice.home, "apps/quiet/releases/v1/output.log"));
      expect(output.mode & 0o777).to.equal(0o600);
      for (const folder of ["logs", "services", "redis", "apps/quiet/repo.git", "scratch"])
        expect((await stat(join(sluice.home, folder))).mode & 0o066, folder).to.equal(0);
      for (const name of await readdir(sluice.home)) {
        const { mode } = await stat(join(sluice.home, name));
        if (/^(?:key|token|ssh_host_key|server\.log|up\.log)$/.test(name))
          expect(mode & 0o077, name).to.equal(0);
      }
    } finally {
      await sluice.dispose();
    }
  });
});
