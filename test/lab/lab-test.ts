import { Lab, whyNoLab } from "./lab.js";

/** The hosts of one suite of tests: skipped, with the reason, where there can be none. */
export class LabTest {
  private opened: Lab | undefined;

  get lab(): Lab {
    if (this.opened === undefined) throw new Error("the lab is not open");
    return this.opened;
  }

  /** For mocha's `before`. */
  async open(context: Mocha.Context, packages: readonly string[] = []): Promise<void> {
    const reason = await whyNoLab();
    if (reason !== undefined) {
      process.stdout.write(`      skipped: the lab ${reason}\n`);
      context.skip();
    }
    this.opened = await Lab.open(packages);
  }

  /** For mocha's `after`. */
  async close(): Promise<void> {
    await this.opened?.close();
    this.opened = undefined;
  }
}
