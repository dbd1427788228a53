import { expect } from "chai";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { parse } from "yaml";
import { settingsSchema } from "../../core/settings/settings.js";
import { parseAppJson } from "../../server/builds/manifest/app-json.js";
import { parseProcfile } from "../../server/builds/manifest/procfile.js";
import { errorsPage } from "../support/errors-page.js";

const REPOSITORY = new URL("../..", import.meta.url).pathname;
const CONTENTS = "docs/README.md";
const COLUMNS = 100;
/** Still has longer lines. */

const doc = (name: string): string => join(REPOSITORY, "docs", name);

describe("the documentation", () => {
  it("shows sluice.yml with every key and its default", async () => {
    const shown: unknown = parse(await block("sluice-yml.md", "yaml"));
    expect(settingsSchema.parse(shown)).to.deep.equal(settingsSchema.parse({}));
    expect(shown).to.deep.equal(settingsSchema.parse({}));
  });

  it("shows who can be notified of alerts", async () => {
    const shown: unknown = parse(await block("alert-recipients.md", "yaml"));
    const { email, webhook, slack } = settingsSchema.parse(shown).monitor;
    expect(email?.to).to.deep.equal(["ops@example.com"]);
    for (const settings of [email?.smtp, webhook, slack]) expect(settings).to.be.an("object");
  });

  it("shows an app.json and a Procfile that can be used", async () => {
    const appJson = parseAppJson(await block("app-json.md", "jsonc"));
    expect(appJson.sluice).to.include({ listen: "port", drainSeconds: 900 });
    const defaults = parseAppJson("{}").sluice;
    expect(appJson.sluice.canary).to.deep.equal(defaults.canary);
    expect(appJson.sluice.previews).to.deep.equal(defaults.previews);
    expect([...parseProcfile(await block("procfile.md", "procfile")).keys()]).to.deep.equal([
      "web",
      "worker",
      "release",
    ]);
  });

  it("shows only settings of sluice.yml and app.json that are valid", async () => {
    for (const page of await pages()) {
      const text = await readFile(join(REPOSITORY, page), "utf8");
      for (const shown of blocks(text, "yaml").filter((yaml) => !yaml.startsWith("scrape_configs:")))
        expect(settingsSchema.safeParse(parse(shown)).error, page).to.equal(undefined);
      for (const shown of blocks(text, "jsonc")) expect(() => parseAppJson(shown), page).not.to.throw();
    }
  });

  it("lists every page in its table of contents", async () => {
    const listed = links(await readFile(join(REPOSITORY, CONTENTS), "utf8")).map(({ path }) =>
      normalize(join(dirname(CONTENTS), path)),
    );
    const others = (await pages()).filter((page) => page.startsWith("docs/") && page !== CONTENTS);
    expect(listed).to.include.members(others);
  });

  it("has no link to a page or heading that is not there", async () => {
    for (const page of await pages()) {
      for (const { path, anchor } of links(await readFile(join(REPOSITORY, page), "utf8"))) {
        const target = path === "" ? page : normalize(join(dirname(page), path));
        const at = `${page} links to ${target}#${anchor}`;
        const text = await readTarget(target);
        expect(text, at).to.be.a("string");
        if (anchor !== "") expect(anchors(text ?? ""), at).to.include(anchor);
      }
    }
  });

  it(`wraps prose at ${COLUMNS} columns`, async () => {
    for (const page of await pages()) {
      const lines = prose(await readFile(join(REPOSITORY, page), "utf8"));
      expect(
        lines.filter((line) => line.length > COLUMNS),
        page,
      ).to.deep.equal([]);
    }
  });

  it("lists every error as it is (UPDATE_DOCS=1 writes it again)", async () => {
    if (process.env["UPDATE_DOCS"] === "1") await writeFile(doc("errors.md"), errorsPage());
    expect(await readFile(doc("errors.md"), "utf8")).to.equal(errorsPage());
  });
});

/** The first fenced block of a language in a page of `docs/`. */
async function block(name: string, language: string): Promise<string> {
  const [found] = blocks(await readFile(doc(name), "utf8"), language);
  if (found === undefined) throw new Error(`${name} has no ${language} block`);
  return found;
}

/** Every fenced block of a language. */
function blocks(text: string, language: string): string[] {
  const found = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"));
  return [...found].map(([, content = ""]) => content);
}

/** README.md, CHANGELOG.md and all of `docs/`, as paths from the top of the repository. */
async function pages(): Promise<string[]> {
  const inDocs = await readdir(join(REPOSITORY, "docs"), { recursive: true });
  return [
    "README.md",
    "CHANGELOG.md",
    ...inDocs.filter((name) => name.endsWith(".md")).map((name) => join("docs", name)),
  ];
}

/** Text without its fenced blocks. */
function withoutBlocks(text: string): string {
  return text.replace(/^```.*?^```$/gms, "");
}

/** The links to other pages and headings. */
function links(text: string): { path: string; anchor: string }[] {
  const found = withoutBlocks(text).matchAll(/\]\((?![a-z]+:)([^)#\s]*)#?([^)\s]*)\)/g);
  return [...found].map(([, path = "", anchor = ""]) => ({ path, anchor }));
}

/** A file's text, nothing for a folder; `undefined` when there is neither. */
async function readTarget(target: string): Promise<string | undefined> {
  const path = join(REPOSITORY, target);
  return readFile(path, "utf8").catch(async () =>
    readdir(path).then(
      () => "",
      () => undefined,
    ),
  );
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(text: string): string[] {
  return [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** The lines that are neither code nor in a table. */
function prose(text: string): string[] {
  return withoutBlocks(text)
    .split("\n")
    .filter((line) => !line.startsWith("|") && !line.startsWith("    "));
}
