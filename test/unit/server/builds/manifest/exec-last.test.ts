import { expect } from "chai";
import { execLast } from "../../../../../server/builds/manifest/exec-last.js";

describe("the last command of a shell line", () => {
  for (const [line, result] of [
    ["node server.js", "exec node server.js"],
    ['next start -p $PORT --name "a b"', 'exec next start -p $PORT --name "a b"'],
    ["NODE_ENV=x A=1 node .", "NODE_ENV=x A=1 exec node ."],
    ["npm run build && cd dist && node .", "npm run build && cd dist && exec node ."],
  ] as const)
    it(`takes the place of the shell: ${line}`, () => expect(execLast(line)).to.equal(result));

  for (const line of [
    "exec node .",
    "cd dist",
    "node . &",
    "node a || node b",
    "node a; node b",
    "node a | tee log",
    "(node a && node b)",
    "echo 'a && node b'",
    "! node a",
    "node $(cat main)",
    'A="x y" node .',
    "node a & node b",
    "if true",
    "",
  ])
    it(`does not where that could change something: ${line}`, () => expect(execLast(line)).to.equal(line));
});
