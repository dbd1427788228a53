import { expect } from "chai";
import { readFile, writeFile } from "node:fs/promises";
import { parse } from "yaml";
import { settingsSchema } from "../../core/settings/settings.js";
import { parseAppJson } from "../../server/builds/manifest/app-json.js";
import { parseProcfile } from "../../server/builds/manifest/procfile.js";
import { errorsPage } from "../support/errors-page.js";

const doc = (name: string): string => new URL(`../../docs/${name}`, import.meta.url).pathname;

describe("the documentation", () => {
  it("shows sluice.yml with every key and its default", async () => {
    const shown: unknown = parse(await block("configuration.md", "yaml"));
    expect(settingsSchema.parse(shown)).to.deep.equal(settingsSchema.parse({}));
    expect(shown).to.deep.equal(settingsSchema.parse({}));
  });

  it("shows who can be told of alerts", async () => {
    const shown: unknown = parse(await block("configuration.md", "yaml", 1));
    const { email, webhook, slack } = settingsSchema.parse(shown).monitor;
    expect(email?.to).to.deep.equal(["ops@example.com"]);
    for (const settings of [email?.smtp, webhook, slack]) expect(settings).to.be.an("object");
  });

  it("shows an app.json and a Procfile that can be used", async () => {
    const appJson = parseAppJson(await block("configuration.md", "jsonc"));
    expect(appJson.sluice).to.include({ listen: "port", drainSeconds: 900 });
    const defaults = parseAppJson("{}").sluice;
    expect(appJson.sluice.canary).to.deep.equal(defaults.canary);
    expect(appJson.sluice.previews).to.deep.equal(defaults.previews);
    expect([...parseProcfile(await block("configuration.md", "procfile")).keys()]).to.deep.equal([
      "web",
      "worker",
      "release",
    ]);
  });

  it("lists every error as it is (UPDATE_DOCS=1 writes it again)", async () => {
    if (process.env["UPDATE_DOCS"] === "1") await writeFile(doc("errors.md"), errorsPage());
    expect(await readFile(doc("errors.md"), "utf8")).to.equal(errorsPage());
  });
});

/** A fenced block of a language, the first if nothing else is said. */
async function block(name: string, language: string, index = 0): Promise<string> {
  const text = await readFile(doc(name), "utf8");
  const blocks = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))];
  const found = blocks[index]?.[1];
  if (found === undefined) throw new Error(`${name} has no ${language} block`);
  return found;
}
