const { spawnSync } = require("node:child_process");
const { relative, resolve } = require("node:path");
const process = require("node:process");
const { reporters, Runner } = require("mocha");

const COMPARE = resolve("test/support/leftovers/compare");
const MOST_SHOWN = 30;

/**
 * The spec reporter, then a line per failed test, and one closing line that programs can read. Where LEFTOVERS_BEFORE names what
 * `leftovers/list` listed before the tests, what they left on the machine counts as a failed test.
 */
module.exports = class ClosingLine extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    this.failed = [];
    runner.on(Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      const title = typeof test.fullTitle === "function" ? test.fullTitle() : test.title;
      const [message] = String(error?.message ?? error).split("\n");
      this.failed.push(`failed: ${relative(process.cwd(), test.file ?? "?")}: ${title}: ${message}`);
    });
  }

  /** Mocha calls it when its workers have ended, too. */
  done(failures, end) {
    const left = leftovers();
    if (left.length > 0)
      this.failed.push(`failed: leftovers: ${left.length} new on this machine: ${left[0]}`);
    const { passes, pending } = this.stats;
    const failed = this.stats.failures + (left.length > 0 ? 1 : 0);
    process.stdout.write(`\n${this.failed.map((line) => `${line}\n`).join("")}`);
    process.stdout.write(`${passes} passed, ${failed} failed, ${pending} skipped\n`);
    end(failures + failed - this.stats.failures);
  }
};

/** What is new on this machine. */
function leftovers() {
  const before = process.env["LEFTOVERS_BEFORE"];
  if (before === undefined) return [];
  const { status, stdout, stderr } = spawnSync(COMPARE, [before], { encoding: "utf8" });
  if (status === 0) {
    process.stdout.write("\n  nothing left on this machine\n");
    return [];
  }
  const lines = `${stdout}${stderr}`.split("\n").filter((line) => line !== "");
  const more = lines.length > MOST_SHOWN ? [`… and ${lines.length - MOST_SHOWN} more`] : [];
  process.stdout.write(`\n  left on this machine:\n`);
  for (const line of [...lines.slice(0, MOST_SHOWN), ...more]) process.stdout.write(`    ${line}\n`);
  return lines.length > 0 ? lines : [`compare ended with status ${status}`];
}
