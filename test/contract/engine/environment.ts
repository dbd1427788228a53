import { expect } from "chai";
import { execa } from "execa";
import fc from "fast-check";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { answerAt, type EngineTrial } from "./engine-trial.js";
import { USER } from "./starting.js";

const PATH = process.env["PATH"] ?? "";

/** What a shell, a file or a log could take for something else. */
const HOSTILE: Readonly<Record<string, string>> = {
  SINGLE: "it's 'quoted'",
  DOUBLE: 'say "yes"',
  DOLLAR: "$HOME ${HOME} $(touch pwned) $((1+1)) $$",
  BACKTICKS: "`touch pwned`",
  BACKSLASHES: "\\ \\\\ \\n \\' trailing\\",
  NEWLINES: "\n\none\ntwo\n\n",
  BLANKS: "  \t lead and trail \t ",
  RETURNS: "a\r\nb\r",
  EMPTY: "",
  OPTION: "-n -e --",
  GLOB: "* ? [a-z] ~ {a,b}",
  SHELL: "; touch pwned & | < > ( ) ! # %",
  EQUALS: "=a=b=",
  UNICODE: "žluťoučký 🐎 \u{1F469}\u200D\u{1F680} \u0301",
  CONTROL: "\u0001\u001B[31m\u007F",
};

export function givesTheEnvironment(trial: EngineTrial): void {
  const ifFilesAreShared = trial.itIf("sharesFiles");
  it("gives an instance the environment it was given and its PORT, nothing else", async () => {
    process.env["SLUICE_TEST_LEAK"] = "leaked";
    try {
      const env = { PATH, ONE: "1", TWO: "2" };
      const { address } = await trial.start(trial.web({ env }));
      const expected = { ...env, PORT: trial.portOf(address) };
      expect(await environmentAt(address)).to.deep.equal(expected);
    } finally {
      delete process.env["SLUICE_TEST_LEAK"];
    }
  });

  ifFilesAreShared("adds SOCKET, and not PORT, for an instance with a socket", async function () {
    const { address } = await trial.start(trial.web({ env: { PATH }, listen: "socket" }));
    expect(await environmentAt(address)).to.deep.equal({ PATH, SOCKET: address?.slice("unix@".length) });
  });

  it("adds nothing for an instance that serves nobody", async () => {
    await trial.start(trial.worker("echo names $(env | cut -d= -f1 | sort)", { env: { PATH } }));
    const names = (await trial.said("shop.v1.worker.1", "names")).split(" ");
    expect(names.filter((name) => name !== "PWD")).to.deep.equal(["PATH"]);
  });

  it("needs nothing of the environment to start an instance", async () => {
    const command = `${process.execPath} server.js`;
    const { address } = await trial.start(trial.web({ command, env: {} }));
    expect(await environmentAt(address)).to.deep.equal({ PORT: trial.portOf(address) });
  });

  it("leaves every character of a value as it is", async () => {
    const { address } = await trial.start(trial.web({ env: { PATH, ...HOSTILE } }));
    expect(await environmentAt(address)).to.deep.include(HOSTILE);
    expect(await readdir(trial.path("tree"))).to.deep.equal(["server.js"]);
  });

  it("leaves every character of any value as it is", async () => {
    const values = fc.sample(fc.string({ unit: "binary", maxLength: 50 }), 300);
    const env = Object.fromEntries(values.map((value, index) => [`V${index}`, value.replaceAll("\0", "")]));
    const { address } = await trial.start(trial.web({ env: { PATH, ...env } }));
    expect(await environmentAt(address)).to.deep.include(env);
  });

  it("gives a command to the shell as it stands", async () => {
    const command = [
      `printf '%s\\n' 'it'\\''s' "a \\"b\\"" $(echo sub) \`echo old\` \\\\ "\\$HOME" 'two`,
      `lines' # a comment`,
      `echo "$# \${ONE:-unset}"; echo end`,
      "exec sleep 1000",
    ].join("\n");
    const { stdout } = await execa("sh", ["-c", command.replace("exec sleep 1000", "")], {
      env: { PATH, ONE: "1" },
      extendEnv: false,
    });
    await trial.start(trial.worker(command, { env: { PATH, ONE: "1" } }));
    await trial.said("shop.v1.worker.1", "end");
    expect((await trial.logOf("shop.v1.worker.1")).join("\n")).to.equal(stdout);
  });

  ifFilesAreShared("runs in a folder of any name", async function () {
    const directory = trial.path('it\'s a $(touch pwned) "folder"\n\\');
    await mkdir(directory);
    await trial.start(
      trial.worker("touch here; pwd -P | od -c | tail -n 1; ls; exec sleep 1000", {
        artifact: { kind: "tree", folder: directory, at: directory },
      }),
    );
    await trial.reaches("shop.v1.worker.1", "runs", ({ running }) => running);
    await trial.said("shop.v1.worker.1", "here");
  });

  ifFilesAreShared(
    "does nothing with an instance's environment as another user than the instance's",
    async function () {
      if (process.getuid?.() !== 0) this.skip();
      // ld.so(8): with LD_DEBUG_OUTPUT each program that starts with this environment leaves a file of its user's.
      const traces = await trial.openFolder("traces");
      const programs = await trial.openFolder("programs");
      for (const name of ["chpst", "sh", "env", "id", "date", "sleep", "cat", "mv"]) {
        await writeFile(
          `${programs}/${name}`,
          `#!/bin/sh\n: >${traces}/${name}.$$\nexec /usr/bin/${name} "$@"\n`,
          {
            mode: 0o755,
          },
        );
      }
      const env = { PATH: `${programs}:${PATH}`, LD_DEBUG: "libs", LD_DEBUG_OUTPUT: `${traces}/ld` };
      const { address } = await trial.start(trial.web({ env, user: USER }));
      await answerAt(address);
      const files = await readdir(traces);
      const owners = await Promise.all(files.map(async (name) => (await stat(`${traces}/${name}`)).uid));
      expect(files).not.to.be.empty;
      expect(new Set(owners)).to.deep.equal(new Set([USER.uid]));
    },
  );
}

/** The environment of the web server at an address, without what every shell adds. */
async function environmentAt(address: string | undefined): Promise<Record<string, string>> {
  const env = JSON.parse((await answerAt(address, "/env")).body) as Record<string, string>;
  delete env["PWD"];
  return env;
}
