import { expect } from "chai";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { captureCommand } from "../../../../core/exec/exec.js";
import { Home } from "../../../../core/home.js";
import { testSandbox } from "../../../support/running/test-sandbox.js";

const NUMBERS = { x64: { addKey: 248, keyctl: 250 }, arm64: { addKey: 217, keyctl: 219 } };
/** Prints the error of each, or `done`. */
const PROGRAM = (addKey: number, keyctl: number): string => `
  use Errno; use Socket;
  sub report { my ($name, $done) = @_; print "$name: ", $done ? "done" : $!{ENOSYS} ? "ENOSYS" : $!{EAFNOSUPPORT} ? "EAFNOSUPPORT" : $!, "\\n" }
  my ($type, $name, $data) = ("user", "sluice-test", "x");
  report "vsock", socket(my $vsock, 40, SOCK_STREAM, 0);
  report "keyctl", syscall(${keyctl}, 0, -3, 1) != -1;
  report "add_key", syscall(${addKey}, $type, $name, $data, 1, -1) != -1;
  report "io_uring", syscall(425, 1, my $setup = "\\0" x 120) != -1;
  report "x32", syscall(0x40000000 + 39) != -1;
  report "tcp", socket(my $tcp, AF_INET, SOCK_STREAM, 0);
  report "unix", socket(my $unix, AF_UNIX, SOCK_STREAM, 0);
  print "the filter is open\\n" if -e "/proc/self/fd/7";
  report "getpid", syscall(${process.arch === "x64" ? 39 : 172}) != -1;
`;

describe("system calls in the sandbox", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "system-calls-"))));
  afterEach(async () => rm(folder, { recursive: true }));

  it("reach neither a virtual machine's host, nor keyrings, nor what could do so unseen", async function () {
    if (process.arch !== "x64" && process.arch !== "arm64") this.skip();
    const { addKey, keyctl } = NUMBERS[process.arch];
    const sandbox = await testSandbox(new Home(join(folder, "home")));
    for (const changes of ["kept", "lost"] as const) {
      const policy = {
        ...{ hostname: "shop", mounts: [], scratchMegabytes: 1 },
        work: { folder: "/usr", at: "/app", changes },
        ...(process.getuid?.() === 0 ? { user: { uid: 65_534, gid: 65_534 } } : {}),
      };
      const argv = sandbox.command(policy, ["perl", "-e", PROGRAM(addKey, keyctl)], { diesWithParent: true });
      const env = { PATH: process.env["PATH"] ?? "" };
      const { stdout, stderr } = await captureCommand({ argv, cwd: "/", env });
      expect(stdout + stderr).to.equal(
        [
          "vsock: EAFNOSUPPORT",
          ...["keyctl: ENOSYS", "add_key: ENOSYS", "io_uring: ENOSYS", "x32: ENOSYS"],
          ...["tcp: done", "unix: done", "getpid: done"],
        ].join("\n"),
      );
    }
  });
});
