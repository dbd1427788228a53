import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { eventually } from "../support/eventually.js";
import type { LabHost } from "./lab-host.js";
import { LabTest } from "./lab-test.js";

const LIVE_TIMEOUT_MS = 400_000;
/** Unlike su(1), it is no process in between, which signals would have to pass. */
const AS_DEV =
  "setpriv --reuid dev --regid dev --init-groups env -i HOME=/home/dev PATH=/usr/local/bin:/usr/bin:/bin";
const END_TIMEOUT_MS = 60_000;

/** The two commands of README, on a machine that nobody has used. */
describe("a fresh Debian", function () {
  this.timeout(600_000);
  const trial = new LabTest();
  let host: LabHost;
  let folder = "";
  before(async function () {
    await trial.open(this);
    folder = await mkdtemp(join(tmpdir(), "fresh-debian-"));
    const bundle = join(folder, "sluice.bundle");
    await execa("git", ["bundle", "create", "--quiet", bundle, "HEAD"]);
    [host] = (await trial.lab.boot(1)) as [LabHost];
    await host.copy(bundle, "/srv/sluice.bundle");
    await host.run("useradd --create-home --shell /bin/bash dev");
  });
  after(async () => {
    await trial.close();
    if (folder !== "") await rm(folder, { recursive: true });
  });

  for (const { who, home, as } of [
    { who: "root", home: "/root", as: "/bin/sh -c" },
    { who: "an ordinary user", home: "/home/dev", as: `${AS_DEV} /bin/sh -c` },
  ])
    it(`serves the sample app after two commands of ${who}, and nothing is left after Ctrl-C`, async () => {
      const before = await traces(host);
      const start = `cd ${home} && git clone -q /srv/sluice.bundle sluice && cd sluice && exec npm start`;
      await host.run(`timeout --signal INT 900 ${as} '${start}' >${home}/start.log 2>&1 </dev/null &`);
      const log = async (): Promise<string> => host.run(`cat ${home}/start.log`);
      let said = "";
      await eventually(
        () => `the sample app is live: ${said}`,
        async () => (said = await log()).includes("The sample app is live"),
        LIVE_TIMEOUT_MS,
      );
      const version = await host.run("curl -fsS -H 'Host: hello.localhost' http://127.0.0.1:8080/version");
      expect(version).to.include('"release":"v1"').and.include('"track":"production"');
      await host.run("pkill -INT -x timeout");
      await eventually(
        "Sluice has ended",
        async () => (await host.run("pgrep -x timeout || true")) === "",
        END_TIMEOUT_MS,
      );
      expect(await log()).to.include("SIGINT: stopping everything");
      expect(await traces(host)).to.deep.equal(before);
    });
});

/** Programs, networks and rules that Sluice would have. */
async function traces(host: LabHost): Promise<string> {
  const programs = "pgrep -l 'node|haproxy|redis-server|runsv|svlogd|bwrap' || true";
  return host.run(
    `${programs}; ip netns; ip -brief link; ip route; nft list tables 2>/dev/null || true; ls -A /tmp`,
  );
}
