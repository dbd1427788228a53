import { expect } from "chai";
import { execa } from "execa";
import { mkdir, mkdtemp, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../../../../core/files/remove-tree.js";
import { missingLibraries, npmPackage } from "../../../../../server/builds/image/node-programs.js";
import { pythonHome, runtimesOf } from "../../../../../server/builds/image/runtimes.js";
import { treeDigest } from "../../../../../server/builds/image/layers/tree-digest.js";

describe("what an image takes from this machine", () => {
  let folder: string;
  const { signal } = new AbortController();

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "sluice-runtimes-"))));
  afterEach(async () => removeTree(folder));

  async function runtimes(command: string, release?: string): Promise<string> {
    const process = { name: "web", command, quantity: 1 };
    const { node, python } = await runtimesOf(folder, {
      processes: [process],
      fixedSizes: [],
      healthChecks: [],
      env: {},
      maxPreviews: 1,
      domains: [],
      ...(release === undefined ? {} : { releaseCommand: release }),
    });
    return [node ? "node" : "", python ? "python" : ""].filter((name) => name !== "").join(" ");
  }

  const commands: Readonly<Record<string, string>> = {
    "node server.js": "node",
    "npm start": "node",
    "exec sh -c 'exec node index.js'": "node",
    "sleep 1;npx serve": "node",
    "/usr/bin/python3 app.py": "python",
    "python manage.py runserver && node x": "node python",
    "./server --mode=node": "",
    "./nodejs-like": "",
    "bin/pythonic": "",
  };
  for (const [command, expected] of Object.entries(commands))
    it(`is ${expected === "" ? "nothing" : expected} for \`${command}\``, async () => {
      expect(await runtimes(command)).to.equal(expected);
      expect(await runtimes("./server", command)).to.equal(expected);
    });

  it("is recognised by an app's files too", async () => {
    await writeFile(join(folder, "package.json"), "{}");
    expect(await runtimes("next-start")).to.equal("node");
    await writeFile(join(folder, "requirements.txt"), "");
    expect(await runtimes("gunicorn app:app")).to.equal("node python");
  });

  it("is a Python that Debian has", () => {
    expect(pythonHome("home = /usr/bin\ninclude-system-site-packages = false\n")).to.equal("/usr/bin");
    expect(pythonHome("version = 3\nhome=/opt/my python/bin\r\n")).to.equal("/opt/my python/bin");
    expect(pythonHome("executable = /usr/bin/python3")).to.equal(undefined);
  });

  it("is a Node.js whose libraries every image has", async () => {
    const own = process.execPath;
    expect(missingLibraries((await execa("ldd", [own], { env: { LC_ALL: "C" } })).stdout)).to.deep.equal([]);
    const said = [
      "\tlinux-vdso.so.1 (0x00007ffd)",
      "\tlibnode.so.115 => /lib/x86_64-linux-gnu/libnode.so.115 (0x00007f)",
      "\tlibgone.so.1 => not found",
      "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)",
      "\t/lib64/ld-linux-x86-64.so.2 (0x00007f)",
    ];
    expect(missingLibraries(said.join("\n"))).to.deep.equal(["libnode.so.115", "libgone.so.1"]);
    expect(missingLibraries("\tnot a dynamic executable\n")).to.deep.equal([]);
  });

  it("is an npm that has what it needs with it", async () => {
    const [bin, npm] = [join(folder, "bin"), join(folder, "lib/node_modules/npm")];
    await mkdir(bin);
    await mkdir(join(npm, "bin"), { recursive: true });
    await writeFile(join(npm, "bin/npm-cli.js"), "");
    await writeFile(join(npm, "package.json"), `{"version": "10.1.2"}`);
    await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(bin, "npm"));
    const path = `${join(folder, "nowhere")}:${bin}`;
    expect(await npmPackage(path)).to.equal(undefined);
    await mkdir(join(npm, "node_modules"));
    expect(await npmPackage(path)).to.deep.equal({ folder: npm, version: "10.1.2" });
    expect(await npmPackage(join(folder, "nowhere"))).to.equal(undefined);
  });

  it("is known by its content, whatever the times say", async () => {
    const write = async (name: string, content: string, mode = 0o644): Promise<void> => {
      await writeFile(join(folder, name), content, { mode });
      await utimes(join(folder, name), 1, 1);
    };
    await write("file", "content");
    const digest = await treeDigest(folder, signal);
    await utimes(join(folder, "file"), 2, 2);
    expect(await treeDigest(folder, signal)).to.equal(digest);
    await write("file", "CONTENT");
    const others = [await treeDigest(folder, signal)];
    await write("file", "content");
    expect(await treeDigest(folder, signal)).to.equal(digest);
    await write("more", "", 0o755);
    others.push(await treeDigest(folder, signal));
    await execa("chmod", ["644", join(folder, "more")]);
    others.push(await treeDigest(folder, signal));
    for (const target of ["file", "more"]) {
      await execa("ln", ["-sfn", target, join(folder, "link")]);
      others.push(await treeDigest(folder, signal));
    }
    expect(new Set([digest, ...others]).size).to.equal(6);
  });
});
