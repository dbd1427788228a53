import { expect } from "chai";
import { execa } from "execa";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { z } from "zod";

const REPOSITORY = new URL("../..", import.meta.url).pathname;
const CONFIGURATION = join(REPOSITORY, ".dependency-cruiser.cjs");

/** Importing file → imported file → the rule that refuses it. */
const WRONG_IMPORTS = [
  ["core/loop/a.ts", "server/git/b.ts", "core-knows-nobody"],
  ["core/errors/a.ts", "core/redis/b.ts", "core-errors-knows-those-below"],
  ["server/pipeline/a.ts", "proxy/b.ts", "server-knows-core"],
  ["server/git/a.ts", "server/push/b.ts", "server-git-knows-those-below"],
  ["server/push/a.ts", "server/api/b.ts", "server-push-knows-those-below"],
  ["server/engines/a.ts", "server/releases/b.ts", "server-engines-knows-those-below"],
  ["server/reconcile/a.ts", "server/engines/runit/b.ts", "drivers-are-chosen-in-the-cli"],
  ["monitor/rules/a.ts", "monitor/notices/b.ts", "monitor-rules-knows-those-below"],
  ["proxy/a.ts", "proxy/haproxy/b.ts", "the-proxy-loop-knows-the-interface"],
  ["cli/show/a.ts", "server/events/b.ts", "commands-know-the-api-alone"],
  ["cli/client/a.ts", "cli/verbs/b.ts", "cli-client-knows-those-below"],
  ["monitor/alerts/a.ts", "cli/client/b.ts", "nobody-knows-the-cli"],
] as const;

describe("the import rules", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-imports-"));
  });
  after(async () => rm(folder, { recursive: true }));

  it("name every room of every house", async () => {
    const { forbidden } = configurationSchema.parse(createRequire(import.meta.url)(CONFIGURATION));
    const rooms = forbidden
      .filter(({ name }) => name.endsWith("-knows-those-below"))
      .flatMap(({ from }) => (from.path === undefined ? [] : [new RegExp(from.path)]));
    for (const house of ["core", "server", "monitor", "proxy", "cli"]) {
      const entries = await readdir(join(REPOSITORY, house), { withFileTypes: true });
      for (const { name } of entries.filter((entry) => entry.isDirectory()))
        expect(
          rooms.some((room) => room.test(`${house}/${name}/a.ts`)),
          `${house}/${name}`,
        ).to.equal(true);
    }
  });

  it("refuse what a room may not know", async () => {
    await write("tsconfig.json", "{}");
    for (const [index, [from, to]] of WRONG_IMPORTS.entries()) {
      const target = to.replace("/b.ts", `/b${index}.ts`);
      await write(target, `export const value = ${index};\n`);
      const path = relative(dirname(from), target).replace(/\.ts$/, ".js");
      await write(
        from.replace("/a.ts", `/a${index}.ts`),
        `import { value } from "${path.startsWith(".") ? path : `./${path}`}";\nexport const other = value;\n`,
      );
    }
    const { stdout } = await execa(
      join(REPOSITORY, "node_modules/.bin/depcruise"),
      ["--config", CONFIGURATION, "--output-type", "json", "core", "server", "monitor", "proxy", "cli"],
      { cwd: folder, reject: false },
    );
    const { violations } = resultSchema.parse(JSON.parse(stdout)).summary;
    for (const [index, [from, to, rule]] of WRONG_IMPORTS.entries()) {
      const refusals = violations.filter((each) => each.from === from.replace("/a.ts", `/a${index}.ts`));
      expect(
        refusals.map((each) => each.rule.name),
        `${from} → ${to}`,
      ).to.include(rule);
    }
  });

  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
});

const configurationSchema = z.object({
  forbidden: z.array(z.object({ name: z.string(), from: z.object({ path: z.string().optional() }) })),
});

const resultSchema = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});
