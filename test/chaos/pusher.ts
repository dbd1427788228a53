import type { TestClone } from "../support/git/test-clone.js";
import { TINY_SERVER } from "../support/git/tiny-app.js";

const BROKEN = "process.exit(1);\n";
const EVERY_BROKEN = 5;
const EVERY_PREVIEW = 4;

/** Pushes to an app again and again: new commits of master, now and then one that cannot start, or a preview. */
export class Pusher {
  pushes = 0;
  accepted = 0;
  private isOver = false;
  private readonly done: Promise<void>;

  constructor(
    private readonly clone: TestClone,
    private readonly random: () => number,
    private readonly say: (text: string) => void,
  ) {
    this.done = this.pushOn();
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.done;
  }

  private async pushOn(): Promise<void> {
    while (!this.isOver) {
      await this.pushOnce();
      await new Promise((resolve) => setTimeout(resolve, this.random() * 1500));
    }
  }

  private async pushOnce(): Promise<void> {
    const number = ++this.pushes;
    const isBroken = number % EVERY_BROKEN === 0;
    const isPreview = number % EVERY_PREVIEW === 0;
    await this.clone.commit({ note: String(number), "server.js": isBroken ? BROKEN : TINY_SERVER });
    const { status, output } = await this.clone.push(isPreview ? "+HEAD:refs/heads/look" : "+HEAD:master");
    if (status === 0) this.accepted++;
    const last = output.trim().split("\n").slice(-3).join(" / ");
    this.say(`push ${number} to ${isPreview ? "look" : "master"}: ${status === 0 ? "accepted" : last}`);
    if (status === 0 && isBroken) throw new Error(`a release that cannot start was accepted: ${output}`);
    // The next one builds on what the server may have.
    if (isBroken) await this.clone.commit({ "server.js": TINY_SERVER });
  }
}
