import { expect } from "chai";
import { parseProcfile } from "../../../../../server/builds/manifest/procfile.js";

const entries = (text: string): Record<string, string> => Object.fromEntries(parseProcfile(text));

describe("a Procfile", () => {
  it("is read as Dokku reads it: comments, blank lines, CRLF, a BOM", () => {
    expect(
      entries(
        "\uFEFF# top\r\nweb: node a.js --port 1 # trailing\r\n\r\n// more\r\nworker : sh -c 'x: y'\r\n",
      ),
    ).to.deep.equal({
      web: "node a.js --port 1",
      worker: "sh -c 'x: y'",
    });
  });

  it("keeps what only looks like a comment", () => {
    expect(entries("web: curl http://x/#a\n")).to.deep.equal({ web: "curl http://x/#a" });
  });

  it("is refused as a whole for one bad line, which is named", () => {
    const cases: [string, RegExp][] = [
      ["web: a\nweb: b\n", /line 2: "web" is defined twice: web: b/],
      ["web: a\n<<<<<<< HEAD\n", /line 2: it is not `name: command`/],
      ["web: a\nWeb: b\n", /line 2: "Web" cannot be the name of a process/],
      ["web:\n", /line 1: the command is missing/],
      ["web: a\n=======\nweb2 b\n", /line 2/],
    ];
    for (const [text, message] of cases) expect(() => parseProcfile(text), text).to.throw(message);
  });
});
