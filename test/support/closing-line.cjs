const process = require("node:process");
const { relative } = require("node:path");
const { reporters, Runner } = require("mocha");

/** The spec reporter, then a line per failed test, and one closing line that programs can read. */
module.exports = class ClosingLine extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const failed = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      const title = typeof test.fullTitle === "function" ? test.fullTitle() : test.title;
      const [message] = String(error?.message ?? error).split("\n");
      failed.push(`failed: ${relative(process.cwd(), test.file ?? "?")}: ${title}: ${message}`);
    });
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      process.stdout.write(`\n${failed.map((line) => `${line}\n`).join("")}`);
      process.stdout.write(`${passes} passed, ${failures} failed, ${pending} skipped\n`);
    });
  }
};
