import { expect } from "chai";
import { Router } from "express";
import { readFile } from "node:fs/promises";
import { VERBS } from "../../../../cli/verbs/verbs.js";
import { api } from "../../../../server/api/api.js";
import { declaredRoutes, refuseUndeclared } from "../../../../server/api/guards/declared-routes.js";
import type { Need } from "../../../../server/api/guards/needs.js";
import { TestPipeline } from "../../../support/running/test-pipeline.js";

const PAGE = new URL("../../../../docs/access.md", import.meta.url);
const PLACEHOLDERS: Readonly<Record<string, string>> = { flag: "NAME", number: "N" };
/** They ask no server, or show what others do, too. */
const LOCAL_COMMANDS = ["redis", "up", "down", "hooks", "doctor"];

describe("what each route of the API needs", function () {
  this.timeout(30_000);
  let pipeline: TestPipeline;
  before(async () => (pipeline = await TestPipeline.start()));
  after(async () => pipeline.stop());

  it("stands in docs/access.md, with the command that sends it", async () => {
    const rows = [
      ...(await readFile(PAGE, "utf8")).matchAll(/^\| `([A-Z]+) \/api(\S+)` \| (.*) \| (.*) \|$/gm),
    ];
    const documented = rows.map(([, method, path, , need]) => `${method} ${path}: ${need}`);
    const router = api({ ...pipeline.parts, redis: pipeline.direct, version: "0", fleet: undefined });
    const declared = declaredRoutes(router).map(
      ({ method, path, need }) => `${method} ${shown(path)}: ${need === undefined ? "nothing" : words(need)}`,
    );
    expect(documented.sort()).to.deep.equal(declared.sort());
    const commands = rows.map(([, , , command = ""]) => command).join(" ");
    for (const [verb] of VERBS.filter(([name]) => !LOCAL_COMMANDS.includes(name)))
      expect(commands, verb).to.match(new RegExp(`\`${verb}\\b`));
  });

  it("must be declared, in routers within routers, too", () => {
    const inner = Router();
    inner.get("/secrets", (_request, response) => {
      response.json({});
    });
    const router = Router();
    router.use(inner);
    expect(() => refuseUndeclared(router)).to.throw("GET /secrets");
  });
});

function shown(path: string): string {
  return path.replace(/:(\w+)/g, (_, name: string) => PLACEHOLDERS[name] ?? name.toUpperCase());
}

function words({ right, of }: Need): string {
  if (of === "all") return `\`${right}\`, all apps`;
  return of === "any" ? `\`${right}\`; shows its own apps` : `\`${right}\``;
}
